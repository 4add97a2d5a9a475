import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { StreamInfo } from '../../http/stream-info.js'
import type { LogValue, MakeOperator, Operator } from './operator.js'

const SOURCES: Readonly<Record<string, (info: StreamInfo, namespace: string) => unknown>> = {
  DYNAMIC: (info, namespace) => info.metadata.get(namespace),
  LISTENER: (info, namespace) => info.servedAt?.listenerMetadata?.[namespace],
  LISTENER_FILTER_CHAIN: (info, namespace) => info.servedAt?.filterChainMetadata?.[namespace],
  VIRTUAL_HOST: (info, namespace) => info.virtualHostMetadata?.[namespace],
  ROUTE: (info, namespace) => info.routeMetadata?.[namespace],
  CLUSTER: (info, namespace) => info.clusterMetadata?.[namespace],
  UPSTREAM_HOST: (info, namespace) => info.endpoint?.metadata[namespace],
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const inside = (value: unknown, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((from, key) => (isRecord(from) && Object.hasOwn(from, key) ? from[key] : undefined), value)

/** `NAMESPACE:KEY…` of one kind of metadata. */
function metadataOperator(source: string, args: string, path: string): Result<Operator> {
  const read = Object.hasOwn(SOURCES, source) ? SOURCES[source] : undefined
  const [namespace = '', ...keys] = args.split(':')
  if (read === undefined || namespace === '') {
    const advice = `metadata needs (NAMESPACE:KEY…), of %METADATA% after ${Object.keys(SOURCES).join(', ')}.`
    return fail(problem('log.format', path, advice))
  }
  return ok(({ info }) => inside(read(info, namespace), keys) as LogValue)
}

/** `KEY`, `KEY:PLAIN`, `KEY:TYPED` or `KEY:FIELD:NAME`. */
const filterStateOperator: MakeOperator = (args, path) => {
  const [key = '', how = 'TYPED', field, ...rest] = args.split(':')
  const known = ['PLAIN', 'TYPED', 'FIELD'].includes(how) && (how === 'FIELD') === (field !== undefined) && rest.length === 0
  if (key === '' || !known)
    return fail(
      problem('log.format', path, `%FILTER_STATE(${args})%: write (KEY), (KEY:PLAIN), (KEY:TYPED) or (KEY:FIELD:NAME).`),
    )
  return ok(({ info }) => {
    const state = info.filterState.get(key)
    return (field === undefined ? state : inside(state, [field])) as LogValue
  })
}

export const metadataOperators: Readonly<Record<string, MakeOperator>> = {
  DYNAMIC_METADATA: (args, path) => metadataOperator('DYNAMIC', args, path),
  CLUSTER_METADATA: (args, path) => metadataOperator('CLUSTER', args, path),
  UPSTREAM_METADATA: (args, path) => metadataOperator('UPSTREAM_HOST', args, path),
  METADATA: (args, path) => {
    const [source = '', ...rest] = args.split(':')
    return metadataOperator(source, rest.join(':'), path)
  },
  FILTER_STATE: filterStateOperator,
  // Its older name in header formats.
  PER_REQUEST_STATE: (args, path) => filterStateOperator(`${args}:PLAIN`, path),
}
