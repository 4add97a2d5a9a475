import type { StringMatch } from '../../kinds/common.js'
import type { GRPCRouteMatch } from '../../kinds/gateway-api/grpc-route.js'
import type { HTTPRouteMatch, NamedMatch } from '../../kinds/gateway-api/http-route.js'
import type { HTTPMatchRequest, HTTPRoute } from '../../kinds/http-route.js'

/** A match as a VirtualService has it. */
export function httpMatch({ path, headers, queryParams, method }: HTTPRouteMatch): HTTPMatchRequest {
  return {
    uri: pathMatch(path ?? {}),
    ...named('headers', headers),
    ...named('queryParams', queryParams),
    ...(method === undefined ? {} : { method: { exact: method } }),
  }
}

function pathMatch({ type = 'PathPrefix', value = '/' }: NonNullable<HTTPRouteMatch['path']>): StringMatch {
  if (type === 'Exact') return { exact: value }
  if (type === 'RegularExpression') return { regex: value }
  // A slash at the end means nothing: prefixes are of path elements.
  return { prefix: value === '/' ? value : value.replace(/\/$/, '') }
}

function named<K extends string>(
  field: K,
  list: readonly NamedMatch[] | undefined,
): { [key in K]?: Record<string, StringMatch> } {
  if (list === undefined || list.length === 0) return {}
  const matches: Record<string, StringMatch> = {}
  for (const { name, type = 'Exact', value } of list) matches[name] = type === 'Exact' ? { exact: value } : { regex: value }
  return { [field]: matches } as { [key in K]?: Record<string, StringMatch> }
}

/** A gRPC method is the path `/service/method`. Undefined: neither service nor method is named, which the API refuses. */
export function grpcMatch({ method, headers }: GRPCRouteMatch): HTTPMatchRequest | undefined {
  if (method === undefined) return { ...named('headers', headers) }
  const uri = grpcPath(method)
  return uri === undefined ? undefined : { uri, ...named('headers', headers) }
}

function grpcPath({ type = 'Exact', service, method }: NonNullable<GRPCRouteMatch['method']>): StringMatch | undefined {
  if (service === undefined) return method === undefined ? undefined : { regex: `/[^/]+/${method}` }
  if (method === undefined) return type === 'Exact' ? { prefix: `/${service}/` } : { regex: `/${service}/.+` }
  return type === 'Exact' ? { exact: `/${service}/${method}` } : { regex: `/${service}/${method}` }
}

/** The order that the Gateway API has for rules of all routes of a host: by path, method, then the number of headers and parameters. Else they stay as they are. */
export function byPrecedence(a: HTTPRoute, b: HTTPRoute): number {
  const [first, second] = [a.match?.[0], b.match?.[0]]
  if (first === undefined || second === undefined) return Number(first === undefined) - Number(second === undefined)
  return (
    rank(second) - rank(first) ||
    lengthOf(second) - lengthOf(first) ||
    Number(second.method !== undefined) - Number(first.method !== undefined) ||
    count(second.headers) - count(first.headers) ||
    count(second.queryParams) - count(first.queryParams)
  )
}

function rank({ uri }: HTTPMatchRequest): number {
  if (uri === undefined) return -1
  return 'exact' in uri ? 3 : 'prefix' in uri ? 2 : 1
}

const utf8 = new TextEncoder()

function lengthOf({ uri }: HTTPMatchRequest): number {
  return uri === undefined ? 0 : utf8.encode(Object.values(uri)[0] ?? '').length
}

function count(map: Readonly<Record<string, unknown>> | undefined): number {
  return Object.keys(map ?? {}).length
}
