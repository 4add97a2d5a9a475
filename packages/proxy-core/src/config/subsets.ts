import type { Cluster_LbSubsetConfig, Cluster_LbSubsetConfig_LbSubsetSelector } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { SubsetConfig, SubsetSelector } from '../upstream/balancers/subset.js'
import type { Fields } from './fields.js'

const FALLBACKS = ['NO_FALLBACK', 'ANY_ENDPOINT', 'DEFAULT_SUBSET'] as const
const OWN_FALLBACKS = ['NOT_DEFINED', ...FALLBACKS, 'KEYS_SUBSET'] as const

/** lb_subset_config, and the fields of the typed policy that mean the same. */
export function compileSubsets(fields: Fields<Cluster_LbSubsetConfig> | undefined): SubsetConfig | undefined {
  if (fields === undefined) return undefined
  const config: SubsetConfig = {
    fallback: fields.choice('fallback_policy', FALLBACKS, 'NO_FALLBACK'),
    defaultSubset: (fields.raw('default_subset') ?? {}) as Readonly<Record<string, unknown>>,
    selectors: fields.messages('subset_selectors').map(compileSelector),
    localityWeightAware: fields.boolean('locality_weight_aware'),
    scaleLocalityWeight: fields.boolean('scale_locality_weight'),
    panicModeAny: fields.boolean('panic_mode_any'),
    listAsAny: fields.boolean('list_as_any'),
    fallbackList:
      fields.choice('metadata_fallback_policy', ['METADATA_NO_FALLBACK', 'FALLBACK_LIST'], 'METADATA_NO_FALLBACK') ===
      'FALLBACK_LIST',
  }
  fields.done()
  // As in Envoy: without selectors there are no subsets.
  return config.selectors.length === 0 ? undefined : config
}

function compileSelector(fields: Fields<Cluster_LbSubsetConfig_LbSubsetSelector>): SubsetSelector {
  const fallback = fields.choice('fallback_policy', OWN_FALLBACKS, 'NOT_DEFINED')
  const selector: SubsetSelector = {
    keys: [...new Set(fields.strings('keys'))].sort(),
    singleHost: fields.boolean('single_host_per_subset'),
    fallback: fallback === 'NOT_DEFINED' ? undefined : fallback,
    fallbackKeys: fields.strings('fallback_keys_subset'),
  }
  fields.done()
  const { keys, fallbackKeys } = selector
  if (fallback === 'KEYS_SUBSET' && (fallbackKeys.length === 0 || fallbackKeys.length >= keys.length))
    fields.problem('must be some of keys, and not all.', 'fallback_keys_subset')
  if (!fallbackKeys.every((key) => keys.includes(key))) fields.problem('must be among keys.', 'fallback_keys_subset')
  return selector
}
