import { emptyBody } from '../http/body.js'
import type { Body, HttpRequest } from '../http/message.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'

/** Sends a copy of a request to another cluster; nobody waits for the answer, nobody hears of a failure. */
export function sendMirror(
  clusters: ClusterManager,
  name: string,
  request: HttpRequest,
  body: Body | undefined,
  appendShadow: boolean,
): void {
  const cluster = clusters.get(name)
  const endpoint = cluster?.pick({}, undefined)
  if (cluster === undefined || endpoint === undefined) {
    body?.discard()
    return
  }
  const headers = request.headers.clone()
  headers.set('x-envoy-internal', 'true')
  const copy: HttpRequest = {
    ...request,
    headers,
    authority: appendShadow ? shadowHost(request.authority) : request.authority,
    body: body ?? emptyBody,
  }
  cluster.pool(endpoint).send(copy, {
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
