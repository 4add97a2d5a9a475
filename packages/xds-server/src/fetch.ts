import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import type { DiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { ANONYMOUS, type PeerIdentity } from './access.js'
import { createSotwProtocol } from './protocol/sotw.js'
import type { Response } from './protocol/stream-protocol.js'
import type { SessionContext } from './session-options.js'
import { STATUS } from './transport.js'
import { admitNode, typeOfRequest } from './validate.js'

/** One request without a stream, as REST clients poll (`rdsRefreshDelay`, xds-protocol 91). */
export interface FetchRequest {
  readonly request: DiscoveryRequest
  /** Only this type, as the path of the request says; default any. */
  readonly typeUrl?: string
  readonly identity?: PeerIdentity
}

/** What a poll gets: resources, nothing new since `version_info`, or (`waiting`) nothing yet. */
export type Fetched = { readonly kind: 'resources'; readonly response: Response } | { readonly kind: 'unchanged' | 'waiting' }

/** Fails with `xds.refused` for a bad request, or a node that the peer may not be. */
export function fetchOnce(context: SessionContext, { request, typeUrl, identity = ANONYMOUS }: FetchRequest): Result<Fetched> {
  const type = typeOfRequest(request.type_url ?? '', typeUrl)
  if (!type.ok) return refused(type.status.message)
  const node = admitNode(request.node as Node | undefined, identity, context)
  if (!node.ok) return refused(node.status.message, node.status.code === STATUS.permissionDenied)
  const rule = context.ruleOf(type.value)
  if (rule === undefined) return refused(`there is no resource type ${type.value}`)
  const set = context.resources(node.value, identity).current
  if (set === undefined) return ok({ kind: 'waiting' })
  const { authorize } = context
  const protocol = createSotwProtocol({
    streamId: 'fetch',
    ruleOf: () => rule,
    ...(authorize === undefined ? {} : { allow: (url, name) => authorize({ node: node.value, identity, typeUrl: url, name }) }),
  })
  protocol.onSnapshot(context.views(set))
  const effects = protocol.onRequest({
    typeUrl: type.value,
    versionInfo: '',
    responseNonce: '',
    resourceNames: request.resource_names ?? [],
  })
  const sent = effects.find((effect) => effect.kind === 'send')
  if (sent === undefined) return ok({ kind: 'waiting' })
  const same = request.version_info !== undefined && request.version_info === sent.response.version
  return ok(same ? { kind: 'unchanged' } : { kind: 'resources', response: sent.response })
}

function refused(message: string, forbidden = false): Result<never> {
  return fail(problem(forbidden ? 'xds.forbidden' : 'xds.refused', '', message))
}
