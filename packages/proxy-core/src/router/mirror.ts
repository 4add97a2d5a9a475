import type { Random } from '@heddle/runtime'
import { emptyBody } from '../http/body.js'
import { setJoined } from '../http/identity.js'
import type { Body, HttpRequest } from '../http/message.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { ForwardAction, Mirror } from '../route/table.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'

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
  request: HttpRequest,
  body: Body | undefined,
  entry: AccessLogEntry,
  { clusters, localAddress }: MirrorRuntime,
): void {
  const cluster = clusters.get(mirror.cluster(request) ?? '')
  const endpoint = cluster?.pick({}, undefined)
  if (cluster === undefined || endpoint === undefined) {
    body?.discard()
    return
  }
  const headers = request.headers.clone()
  // As Envoy's own client says it of every request that it makes.
  headers.set('x-envoy-internal', 'true')
  setJoined(headers, 'x-forwarded-for', localAddress, ',')
  mirror.mutate(headers, entry)
  const copy: HttpRequest = {
    ...request,
    headers,
    authority: mirror.hostRewrite ?? (mirror.appendShadow ? shadowHost(request.authority) : request.authority),
    body: body ?? emptyBody,
  }
  cluster.pool(endpoint, cluster.protocolFor(request.protocol)).send(copy, {
    onConnected() {},
    onResponse: (response) => response.body.discard(),
    onEnd() {},
    onFailure: () => body?.discard(),
  })
}

/** `host-shadow`, `host-shadow:port`. */
export function shadowHost(authority: string): string {
  const port = /:\d+$/.exec(authority)
  return port === null ? `${authority}-shadow` : `${authority.slice(0, port.index)}-shadow${port[0]}`
}
