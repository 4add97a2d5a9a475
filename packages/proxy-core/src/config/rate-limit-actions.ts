import type { RateLimit, RateLimit_Action, RateLimit_Override } from '@heddle/xds-types/envoy/config/route/v3'
import type { MetadataKey } from '@heddle/xds-types/envoy/type/metadata/v3'
import { compileCidr, createCidrSet } from '../matcher/cidr.js'
import { compileHeaderMatcher, headerValues } from '../matcher/header.js'
import { maskAddress } from '../matcher/ip.js'
import { compileQueryMatcher, queryParameter } from '../matcher/query.js'
import { isIpAddress } from '../net/address.js'
import type { ActionContext, DescriptorAction, DescriptorEntry, DescriptorLimit, RateLimitRule } from '../route/rate-limit.js'
import type { Fields } from './fields.js'

/** envoy.config.route.v3.RateLimit of a route, virtual host or rate limit filter. */
export function compileRateLimits(list: readonly Fields<RateLimit>[]): readonly RateLimitRule[] {
  return list.map((fields) => {
    const actions = fields.messages('actions').map(compileAction)
    const limit = fields.message('limit')
    const addend = fields.message('hits_addend')
    const hits = addend?.number('number')
    if (addend?.has('format')) addend.problem('format is not supported: use number.', 'format')
    addend?.done()
    if (actions.length === 0) fields.problem('needs at least one action.', 'actions')
    const rule: RateLimitRule = {
      stage: fields.number('stage'),
      actions,
      ...(limit && { limit: compileLimit(limit) }),
      ...(hits !== undefined && { hitsAddend: hits }),
    }
    fields.done({ disable_key: 'no runtime layer switches it off', x_ratelimit_option: 'the filter says whether they are sent' })
    return rule
  })
}

function compileLimit(fields: Fields<RateLimit_Override>): (context: ActionContext) => DescriptorLimit | undefined {
  const dynamic = fields.message('dynamic_metadata')
  const key = dynamic?.message('metadata_key')
  const read = key && compileMetadataKey(key)
  dynamic?.done()
  const fixed = fields.message('rate_limit')
  const own = fixed && { requests_per_unit: fixed.number('requests_per_unit'), unit: fixed.string('unit') }
  fixed?.done()
  fields.done()
  return (context) => own ?? asLimit(read?.(context.dynamicMetadata))
}

function asLimit(value: unknown): DescriptorLimit | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { requests_per_unit: most, unit } = value as Record<string, unknown>
  return typeof most === 'number' && typeof unit === 'string' ? { requests_per_unit: most, unit } : undefined
}

/** One entry of a descriptor. Undefined: there is none, and so no descriptor. `skip`: the descriptor goes without it. */
function compileAction(fields: Fields<RateLimit_Action>): DescriptorAction {
  const kind = KINDS.find((each) => fields.has(each))
  if (kind === undefined) {
    fields.done()
    fields.problem('needs an action.')
    return () => undefined
  }
  const of = fields.message(kind) as Fields<never>
  const action = of === undefined ? () => undefined : ACTIONS[kind](of)
  of?.done()
  fields.done()
  return action
}

type Compile = (fields: Fields<Loose>) => DescriptorAction
interface Loose {
  descriptor_key?: string | undefined
  descriptor_value?: string | undefined
  default_value?: string | undefined
  header_name?: string | undefined
  query_parameter_name?: string | undefined
  skip_if_absent?: boolean | undefined
  expect_match?: unknown
  headers?: readonly object[] | undefined
  query_parameters?: readonly object[] | undefined
  metadata_key?: MetadataKey | undefined
  source?: string | undefined
  v4_prefix_mask_len?: unknown
  v6_prefix_mask_len?: unknown
  address_matcher?: { ranges?: readonly object[]; invert_match?: boolean } | undefined
}

const entry = (key: string, value: string | undefined): DescriptorEntry | undefined =>
  value === undefined || value === '' ? undefined : { key, value }
const optional = (found: DescriptorEntry | undefined, skip: boolean): DescriptorEntry | 'skip' | undefined =>
  found ?? (skip ? 'skip' : undefined)

const ACTIONS = {
  source_cluster:
    () =>
    ({ sourceCluster }) =>
      entry('source_cluster', sourceCluster),
  destination_cluster:
    () =>
    ({ destinationCluster }) =>
      entry('destination_cluster', destinationCluster),
  request_headers(fields) {
    const name = fields.string('header_name').toLowerCase()
    const key = fields.string('descriptor_key')
    const skip = fields.boolean('skip_if_absent')
    return ({ request }) => optional(entry(key, headerValues(request, name).join(',')), skip)
  },
  query_parameters(fields) {
    const name = fields.string('query_parameter_name')
    const key = fields.string('descriptor_key')
    const skip = fields.boolean('skip_if_absent')
    return ({ request }) => optional(entry(key, queryParameter(request.path, name)), skip)
  },
  remote_address:
    () =>
    ({ remoteAddress }) =>
      isIpAddress(remoteAddress) ? entry('remote_address', remoteAddress) : undefined,
  masked_remote_address(fields) {
    const [v4, v6] = [fields.number('v4_prefix_mask_len', 32), fields.number('v6_prefix_mask_len', 128)]
    return ({ remoteAddress }) => {
      if (!isIpAddress(remoteAddress)) return undefined
      const length = remoteAddress.includes(':') ? v6 : v4
      return entry('masked_remote_address', maskAddress(remoteAddress, length))
    }
  },
  generic_key(fields) {
    const found = entry(
      fields.string('descriptor_key') || 'generic_key',
      fields.string('descriptor_value') || fields.string('default_value'),
    )
    return () => found
  },
  header_value_match(fields) {
    const matchers = fields.messages('headers').map((each) => compileHeaderMatcher(each as never))
    return matching(fields, 'header_match', ({ request }) => matchers.every((matcher) => matcher.matches(request)))
  },
  query_parameter_value_match(fields) {
    const matchers = fields.messages('query_parameters').map((each) => compileQueryMatcher(each as never))
    return matching(fields, 'query_match', ({ request }) =>
      matchers.every((matcher) => matcher.matches(queryParameter(request.path, matcher.name))),
    )
  },
  remote_address_match(fields) {
    const matcher = fields.message('address_matcher')
    const inside = createCidrSet(matcher?.messages('ranges').flatMap((each) => compileCidr(each as never) ?? []) ?? [])
    const invert = matcher?.boolean('invert_match') ?? false
    matcher?.done()
    return matching(fields, 'remote_address_match', ({ remoteAddress }) => inside(remoteAddress) !== invert)
  },
  dynamic_metadata: (fields) => metadata(fields, 'DYNAMIC'),
  metadata: (fields) => metadata(fields, fields.choice('source', ['DYNAMIC', 'ROUTE_ENTRY'], 'DYNAMIC')),
} satisfies Readonly<Record<string, Compile>>

const KINDS = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]

function matching(fields: Fields<Loose>, fallback: string, test: (context: ActionContext) => boolean): DescriptorAction {
  const key = fields.string('descriptor_key') || fallback
  const found = entry(key, fields.string('descriptor_value') || fields.string('default_value'))
  const wanted = fields.boolean('expect_match', true)
  return (context) => (test(context) === wanted ? found : undefined)
}

function metadata(fields: Fields<Loose>, source: 'DYNAMIC' | 'ROUTE_ENTRY'): DescriptorAction {
  const key = fields.string('descriptor_key')
  const fallback = fields.string('default_value')
  const skip = fields.boolean('skip_if_absent')
  const where = fields.message('metadata_key')
  if (where === undefined) fields.problem('is required.', 'metadata_key')
  const read = where && compileMetadataKey(where as Fields<MetadataKey>)
  return (context) => {
    const value = read?.(source === 'DYNAMIC' ? context.dynamicMetadata : context.routeMetadata)
    const text = typeof value === 'string' && value !== '' ? value : fallback
    return optional(entry(key, text), skip)
  }
}

type ReadMetadata = (all: ActionContext['dynamicMetadata']) => unknown

/** envoy.type.metadata.v3.MetadataKey. */
function compileMetadataKey(fields: Fields<MetadataKey>): ReadMetadata {
  const namespace = fields.string('key')
  const path = fields.messages('path').map((segment) => {
    const name = (segment as Fields<{ key?: string }>).string('key')
    segment.done()
    return name
  })
  fields.done()
  return (all) =>
    path.reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      all(namespace),
    )
}
