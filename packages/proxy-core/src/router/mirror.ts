import type { Random } from '@heddle/runtime'
import { emptyBody } from '../http/body.js'
import type { ForwardContext, ForwardSink } from '../http/forward.js'
import { setJoined } from '../http/identity.js'
import type { Body, HttpRequest } from '../http/message.js'
import type { ForwardAction, Mirror } from '../route/table.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'
import { flagOf } from './failure.js'

interface MirrorRuntime {
  readonly clusters: ClusterManager
  readonly localAddress: string
}

/** Those that get a copy of this request. */
export function chooseMirrors({ mirrors }: ForwardAction, random: Random): readonly Mirror[] {
  return mirrors.length === 0 ? mirrors : mirrors.filter((mirror) => random.next() < mirror.fraction())
}

/** Sends a copy of a request to another cluster; nobody waits for the answer, nobody hears of a failure. */
export function sendMirror(
  mirror: Mirror,
  { request, entry }: Pick<ForwardContext, 'request' | 'entry'>,
  body: Body | undefined,
  sink: Pick<ForwardSink, 'onMirror'>,
  { clusters, localAddress }: MirrorRuntime,
): void {
  const cluster = clusters.get(mirror.cluster(request) ?? '')
  if (cluster === undefined) {
    body?.discard()
    return
  }
  const endpoint = cluster.pick({}, undefined)
  const headers = request.headers.clone()
  // As Envoy's own client says it of every request that it makes.
  headers.set('x-envoy-internal', 'true')
  setJoined(headers, 'x-forwarded-for', localAddress, ',')
  mirror.mutate(headers, entry)
  const span = sink.onMirror?.(headers, { cluster: cluster.compiled.name, endpoint, sampled: mirror.traceSampled })
  if (endpoint === undefined) {
    body?.discard()
    span?.over('UH')
    return
  }
  const copy: HttpRequest = {
    ...request,
    headers,
    authority: mirror.hostRewrite ?? (mirror.appendShadow ? shadowHost(request.authority) : request.authority),
    body: body ?? emptyBody,
  }
  cluster.pool(endpoint, cluster.protocolFor(request.protocol)).send(copy, {
    onConnected: (_, protocol) => span?.connected(protocol),
    onResponse(response) {
      span?.answered(response.status)
      response.body.discard()
    },
    onEnd: () => span?.over(),
    onFailure(reason) {
      span?.over(flagOf(reason))
      body?.discard()
    },
  })
}

/** `host-shadow`, `host-shadow:port`. */
export function shadowHost(authority: string): string {
  const port = /:\d+$/.exec(authority)
  return port === null ? `${authority}-shadow` : `${authority.slice(0, port.index)}-shadow${port[0]}`
}
