import { ok } from '@heddle/runtime'
import { emptyBody, readBody } from '../../http/body.js'
import { transformBody } from '../../http/body-transform.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import { grpcMessage, grpcStatusOf } from '../../http/local-reply.js'
import type { BodySink, HttpRequest, HttpResponse, LocalReply } from '../../http/message.js'

const TYPES: ReadonlySet<string> = new Set([
  'application/grpc-web',
  'application/grpc-web+proto',
  'application/grpc-web-text',
  'application/grpc-web-text+proto',
])
const INVALID: LocalReply = {
  status: 400,
  body: 'Bad gRPC-web request, invalid base64 data.',
  details: 'grpc_base_64_decode_failed',
  closes: true,
}
const INCOMPLETE: LocalReply = { ...INVALID, details: 'grpc_base_64_decode_failed_bad_size' }
/** Of an answer that is no gRPC so much becomes its grpc-message. */
const MAX_MESSAGE_BYTES = 8 * 1024
const TRAILER_FLAG = 0x80

/**
 * envoy.filters.http.grpc_web: browsers' gRPC. A request becomes gRPC, base64 taken off; of the answer the trailers become the
 * last frame of its body (PROTOCOL-WEB of gRPC).
 */
export const grpcWebFilter: HttpFilterFactory<undefined> = {
  typeNames: ['envoy.extensions.filters.http.grpc_web.v3.GrpcWeb'],
  decode: () => ok(undefined),
  create: () => () => {
    let active = false
    let text = false
    return {
      onRequest(request, stream) {
        // In small letters, as Envoy wants it.
        const type = request.headers.get('content-type') ?? ''
        if (!TYPES.has(type)) return undefined
        active = true
        text = request.headers.get('accept')?.toLowerCase().includes('application/grpc-web-text') === true
        takeRequest(request, type.includes('-text') ? (reply) => stream.onBroken(reply) : undefined)
        return undefined
      },
      onResponse: (response) => (active ? giveResponse(response, text) : undefined),
    }
  },
}

/** What the client takes stays what it says. `invalid`: the body is base64, and this is called where it is not. What is well formed before that goes upstream. */
function takeRequest(request: HttpRequest, invalid: ((reply: LocalReply) => void) | undefined): void {
  const { headers, body } = request
  headers.set('content-type', 'application/grpc')
  headers.set('te', 'trailers')
  if (!headers.has('grpc-accept-encoding')) headers.set('grpc-accept-encoding', 'identity')
  headers.delete('content-length')
  if (body.length === 0) return
  request.body = transformBody(body, (sink) => (invalid === undefined ? sink : base64Taken(sink, invalid)))
}

function base64Taken(sink: BodySink, invalid: (reply: LocalReply) => void): BodySink {
  let rest = ''
  let over = false
  const refuse = (reply: LocalReply): void => {
    over = true
    invalid(reply)
  }
  return {
    data(chunk) {
      if (over) return true
      const text = rest + Buffer.from(chunk).toString('latin1')
      const whole = text.length - (text.length % 4)
      const decoded = decodeBase64(text.slice(0, whole))
      rest = text.slice(whole)
      if (decoded !== undefined) return decoded.length === 0 || sink.data(decoded)
      refuse(INVALID)
      return true
    },
    end(trailers) {
      if (over) return
      if (rest !== '') refuse(INCOMPLETE)
      else sink.end(trailers)
    },
    abort: (error) => sink.abort(error),
  }
}

const GROUP = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/

/** Padding may stand behind any group of four: frames are encoded one by one. Undefined: it is no base64. */
function decodeBase64(text: string): Buffer | undefined {
  const parts: Buffer[] = []
  let start = 0
  for (let at = 0; at < text.length; at += 4) {
    const group = text.slice(at, at + 4)
    if (!GROUP.test(group)) return undefined
    if (!group.endsWith('=')) continue
    parts.push(Buffer.from(text.slice(start, at + 4), 'base64'))
    start = at + 4
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(start), 'base64')])
}

function giveResponse(response: HttpResponse, text: boolean): void | Promise<void> {
  const { headers, body } = response
  const isGrpc = headers.get('content-type')?.startsWith('application/grpc') === true
  headers.set('content-type', text ? 'application/grpc-web-text+proto' : 'application/grpc-web+proto')
  if (headers.has('grpc-status')) return undefined
  headers.delete('content-length')
  if (!isGrpc) return giveError(response)
  if (body.length !== 0) response.body = transformBody(body, (sink) => withTrailerFrame(sink, text))
  return undefined
}

/** An answer of HTTP alone: what it says becomes the status. */
async function giveError(response: HttpResponse): Promise<void> {
  const { headers, status } = response
  const bytes = await readBody(response.body, MAX_MESSAGE_BYTES).catch(() => new Uint8Array())
  headers.set('grpc-status', String(grpcStatusOf(status)))
  if (bytes.length > 0) headers.set('grpc-message', grpcMessage(Buffer.from(bytes).toString('utf8')))
  response.body = emptyBody
}

function withTrailerFrame(sink: BodySink, text: boolean): BodySink {
  const encoded = (bytes: Uint8Array): Uint8Array => (text ? Buffer.from(Buffer.from(bytes).toString('base64')) : bytes)
  return {
    data: (chunk) => sink.data(encoded(chunk)),
    end(trailers) {
      if (trailers !== undefined) sink.data(encoded(trailerFrame(trailers)))
      sink.end()
    },
    abort: (error) => sink.abort(error),
  }
}

function trailerFrame(trailers: HeaderMap): Buffer {
  let lines = ''
  for (let i = 0; i < trailers.size; i++) lines += `${trailers.nameAt(i)}:${trailers.valueAt(i)}\r\n`
  const payload = Buffer.from(lines, 'latin1')
  const frame = Buffer.alloc(5 + payload.length)
  frame[0] = TRAILER_FLAG
  frame.writeUInt32BE(payload.length, 1)
  payload.copy(frame, 5)
  return frame
}
