import type { RetryPolicy_RetryHostPredicate, RetryPolicy_RetryPriority } from '@heddle/xds-types/envoy/config/route/v3'
import type { OmitHostMetadataConfig } from '@heddle/xds-types/envoy/extensions/retry/host/omit_host_metadata/v3'
import type { PreviousPrioritiesConfig } from '@heddle/xds-types/envoy/extensions/retry/priority/previous_priorities/v3'
import type { RetryPolicy } from '../route/table.js'
import type { Endpoint } from '../upstream/endpoint.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileMetadata } from './metadata.js'

const HOST = 'envoy.extensions.retry.host'
const PREVIOUS_HOSTS = `${HOST}.previous_hosts.v3.PreviousHostsPredicate`
const OMIT_CANARY = `${HOST}.omit_canary_hosts.v3.OmitCanaryHostsPredicate`
const OMIT_METADATA = `${HOST}.omit_host_metadata.v3.OmitHostMetadataConfig`
/** Predicates that need no config may be given by name alone. */
const BY_NAME: ReadonlyMap<string, string> = new Map([
  ['envoy.retry_host_predicates.previous_hosts', PREVIOUS_HOSTS],
  ['envoy.retry_host_predicates.omit_canary_hosts', OMIT_CANARY],
])

type Rejects = (endpoint: Endpoint) => boolean

/** retry_host_predicate: which endpoints a retry stays away from. */
export function compileHostPredicates(
  list: readonly Fields<RetryPolicy_RetryHostPredicate>[],
): Pick<RetryPolicy, 'avoidPreviousHosts' | 'rejectsHost'> {
  let avoidPreviousHosts = false
  const rejects: Rejects[] = []
  for (const fields of list) {
    const config = fields.any('typed_config')
    const name = fields.string('name')
    fields.done()
    const type = config?.typeName ?? BY_NAME.get(name)
    if (type === PREVIOUS_HOSTS) avoidPreviousHosts = true
    else if (type === OMIT_CANARY) rejects.push(isCanary)
    else if (type === OMIT_METADATA && config !== undefined) {
      const inner = fieldsOf<OmitHostMetadataConfig>(config, fields as Fields<never>)
      rejects.push(hasLabels(compileMetadata(inner.message('metadata_match'))['envoy.lb'] ?? {}))
      inner.done()
    } else fields.problem(`${type ?? name} is not supported.`)
  }
  return {
    avoidPreviousHosts,
    ...(rejects.length > 0 && { rejectsHost: (endpoint: Endpoint) => rejects.some((each) => each(endpoint)) }),
  }
}

const isCanary: Rejects = ({ metadata }) => metadata['envoy.lb']?.['canary'] === true

function hasLabels(wanted: Readonly<Record<string, unknown>>): Rejects {
  const entries = Object.entries(wanted).map(([key, value]) => [key, JSON.stringify(value)] as const)
  return ({ metadata }) => {
    const labels = metadata['envoy.lb'] ?? {}
    return entries.length > 0 && entries.every(([key, value]) => JSON.stringify(labels[key]) === value)
  }
}

const PREVIOUS_PRIORITIES = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig'

/** retry_priority: after how many attempts their priorities are avoided. */
export function compileRetryPriority(fields: Fields<RetryPolicy_RetryPriority> | undefined): number | undefined {
  if (fields === undefined) return undefined
  const config = fields.any('typed_config')
  fields.done({ name: 'the type decides' })
  if (config?.typeName !== PREVIOUS_PRIORITIES) {
    fields.problem(`${config?.typeName ?? 'nothing'} is not supported: only previous_priorities is.`, 'typed_config')
    return undefined
  }
  const inner = fieldsOf<PreviousPrioritiesConfig>(config, fields as Fields<never>)
  const every = inner.number('update_frequency')
  inner.done()
  if (every <= 0) inner.problem('must be above 0.', 'update_frequency')
  return Math.max(1, every)
}
