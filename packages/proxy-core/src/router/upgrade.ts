import { emptyBody } from '../http/body.js'
import type { Body, HttpRequest, HttpResponse } from '../http/message.js'

/**
 * The body of an upgrade, which no upstream gets before it has agreed, for an attempt that another may follow: until it is taken,
 * to discard it is to let it be.
 */
export function lendBody(body: Body): Body {
  let taken = false
  return {
    length: body.length,
    consume(sink) {
      taken = true
      body.consume(sink)
    },
    pause: () => body.pause(),
    resume: () => body.resume(),
    discard() {
      if (taken) body.discard()
    },
  }
}

/** A websocket wants 101; of another answer over HTTP/1.1 that is no error Envoy passes on the head alone. Undefined: as it is. */
export function refusedHandshake(
  { upgrade }: HttpRequest,
  protocol: string | undefined,
  { status, headers, body }: HttpResponse,
): HttpResponse | undefined {
  if (upgrade !== 'websocket' || status === 101 || status >= 400 || protocol !== 'HTTP/1.1') return undefined
  body.discard()
  headers.set('content-length', '0')
  return { status, headers, body: emptyBody }
}
