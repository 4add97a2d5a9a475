import type {
  HeaderMutation,
  HeaderMutationPerRoute,
  Mutations,
} from '@heddle/xds-types/envoy/extensions/filters/http/header_mutation/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { type ApplyMutation, compileMutation } from '../../config/header-mutations.js'
import type { HttpFilterFactory, HttpStream } from '../../http/filter.js'

interface MutationLists {
  readonly request: readonly ApplyMutation[]
  readonly response: readonly ApplyMutation[]
}

interface HeaderMutationConfig {
  readonly own: MutationLists
  readonly mostSpecificWins: boolean
}

/** envoy.filters.http.header_mutation: its own list, then the route's, then the virtual host's; every one runs. */
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
        const routed = levelsOf(stream, name)
        return [own, ...(mostSpecificWins ? [...routed].reverse() : routed)]
      }
      return {
        onRequest({ headers }) {
          const entry = { info: stream.info, requestHeaders: headers }
          for (const { request } of levels()) for (const apply of request) apply(headers, entry)
        },
        onResponse({ headers }) {
          const entry = { info: stream.info, requestHeaders: stream.request.headers, responseHeaders: headers }
          for (const { response } of levels()) for (const apply of response) apply(headers, entry)
        },
      }
    },
}

/** From the most specific level to the least. */
function levelsOf({ route }: HttpStream, name: string): readonly MutationLists[] {
  if (route === undefined || route.kind === 'none') return []
  const ofCluster = route.kind === 'forward' ? route.target.perFilterConfig : undefined
  return [ofCluster, route.route?.perFilterConfig, route.virtualHost.perFilterConfig].flatMap(
    (level) => (level?.get(name) as MutationLists | undefined) ?? [],
  )
}

function compileLists(fields: Fields<Mutations> | undefined): MutationLists {
  const lists = {
    request: fields?.messages('request_mutations').map(compileMutation) ?? [],
    response: fields?.messages('response_mutations').map(compileMutation) ?? [],
  }
  fields?.done()
  return lists
}
