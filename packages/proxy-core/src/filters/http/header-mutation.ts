import type {
  HeaderMutation,
  HeaderMutationPerRoute,
  Mutations,
} from '@heddle/xds-types/envoy/extensions/filters/http/header_mutation/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { type ApplyMutation, compileMutation } from '../../config/header-mutations.js'
import { type ApplyQueryMutation, compileQueryMutation, mutateQuery } from '../../config/query-parameter-mutations.js'
import { endWatched } from '../../http/body-transform.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { Body } from '../../http/message.js'
import type { AccessLogEntry } from '../../observe/access-log.js'

interface MutationLists {
  readonly request: readonly ApplyMutation[]
  readonly response: readonly ApplyMutation[]
  readonly query: readonly ApplyQueryMutation[]
  readonly requestTrailers: readonly ApplyMutation[]
  readonly responseTrailers: readonly ApplyMutation[]
}

interface HeaderMutationConfig {
  readonly own: MutationLists
  readonly mostSpecificWins: boolean
}

/**
 * envoy.filters.http.header_mutation: its own list, then those of the weighted cluster, route, virtual host and route
 * configuration; every one runs.
 */
export const headerMutationFilter: HttpFilterFactory<HeaderMutationConfig> = {
  typeNames: ['envoy.extensions.filters.http.header_mutation.v3.HeaderMutation'],
  perRouteTypeNames: ['envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute'],
  decode: (config, path) =>
    compileMessage(config as HeaderMutation, path, (fields) => {
      const compiled = {
        own: compileLists(fields.message('mutations')),
        mostSpecificWins: fields.boolean('most_specific_header_mutations_wins'),
      }
      fields.done()
      return compiled
    }),
  decodePerRoute: (config, path) =>
    compileMessage(config as HeaderMutationPerRoute, path, (fields) => {
      const lists = compileLists(fields.message('mutations'))
      fields.done()
      return lists
    }),
  create:
    ({ own, mostSpecificWins }, _deps, name) =>
    (stream) => {
      const levels = (): readonly MutationLists[] => {
        const routed = stream.perRouteConfigs(name) as readonly MutationLists[]
        return [own, ...(mostSpecificWins ? [...routed].reverse() : routed)]
      }
      return {
        onRequest(request) {
          const { headers } = request
          const entry = { info: stream.info, requestHeaders: headers }
          const lists = levels()
          for (const list of lists) {
            for (const apply of list.request) apply(headers, entry)
            request.path = mutateQuery(request.path, list.query, entry)
          }
          request.body = mutateTrailers(request.body, lists, 'requestTrailers', entry)
        },
        onResponse(response) {
          const { headers } = response
          const entry = { info: stream.info, requestHeaders: stream.request.headers, responseHeaders: headers }
          const lists = levels()
          for (const list of lists) for (const apply of list.response) apply(headers, entry)
          response.body = mutateTrailers(response.body, lists, 'responseTrailers', entry)
        },
      }
    },
}

/** Of trailers that come; none are made. */
function mutateTrailers(
  body: Body,
  lists: readonly MutationLists[],
  which: 'requestTrailers' | 'responseTrailers',
  entry: AccessLogEntry,
): Body {
  if (body.length === 0 || lists.every((list) => list[which].length === 0)) return body
  return endWatched(body, (trailers: HeaderMap | undefined) => {
    if (trailers !== undefined) for (const list of lists) for (const apply of list[which]) apply(trailers, entry)
  })
}

function compileLists(fields: Fields<Mutations> | undefined): MutationLists {
  const lists = {
    request: fields?.messages('request_mutations').map(compileMutation) ?? [],
    response: fields?.messages('response_mutations').map(compileMutation) ?? [],
    query: fields?.messages('query_parameter_mutations').map(compileQueryMutation) ?? [],
    requestTrailers: fields?.messages('request_trailers_mutations').map(compileMutation) ?? [],
    responseTrailers: fields?.messages('response_trailers_mutations').map(compileMutation) ?? [],
  }
  fields?.done()
  return lists
}
