import type { Route, RouteList } from '@heddle/xds-types/envoy/config/route/v3'
import type { HttpRequestHeaderMatchInput, HttpRequestQueryParamMatchInput } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Matcher } from '@heddle/xds-types/xds/type/matcher/v3'
import { asciiLower } from '../matcher/ascii.js'
import { headerValues } from '../matcher/header.js'
import { compileMatchTree, type MatchTree } from '../matcher/match-tree.js'
import { queryParameter } from '../matcher/query.js'
import type { CompiledRoute, RequestHead } from '../route/table.js'
import { type Fields, fieldsOf, type TypedConfig } from './fields.js'

const HEADER = 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput'
const QUERY = 'envoy.type.matcher.v3.HttpRequestQueryParamMatchInput'
const ROUTE = 'envoy.config.route.v3.Route'
const ROUTES = 'envoy.config.route.v3.RouteList'

/** VirtualHost.matcher: a tree over headers and query parameters whose actions are routes, tried in order. */
export function compileRouteMatcher(
  fields: Fields<Matcher> | undefined,
  compileRoute: (fields: Fields<Route>) => CompiledRoute,
): MatchTree<RequestHead, readonly CompiledRoute[]> | undefined {
  if (fields === undefined) return undefined
  return compileMatchTree<RequestHead, readonly CompiledRoute[]>(fields, {
    input: compileRequestInput,
    action(config, at) {
      if (config.typeName === ROUTE) return [compileRoute(fieldsOf<Route>(config, at))]
      if (config.typeName === ROUTES) {
        const list = fieldsOf<RouteList>(config, at)
        const routes = list.messages('routes').map(compileRoute)
        list.done()
        return routes
      }
      ;(at as Fields).problem(`${config.typeName} is not supported as an action of a route.`, 'action')
      return undefined
    },
  })
}

/** What a request says, for matchers of routes and of managers. */
export function compileRequestInput(
  config: TypedConfig,
  at: Fields<never>,
): ((head: RequestHead) => string | undefined) | undefined {
  if (config.typeName === HEADER) {
    const input = fieldsOf<HttpRequestHeaderMatchInput>(config, at)
    const name = asciiLower(input.string('header_name'))
    input.done()
    return (head) => {
      const values = headerValues(head, name)
      return values.length === 0 ? undefined : values.join(',')
    }
  }
  if (config.typeName !== QUERY) return undefined
  const input = fieldsOf<HttpRequestQueryParamMatchInput>(config, at)
  const name = input.string('query_param')
  input.done()
  return (head) => queryParameter(head.path, name)
}
