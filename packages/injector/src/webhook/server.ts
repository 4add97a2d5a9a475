import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type Logger, silentLogger, type Watch } from '@heddle/runtime'
import type { InjectOptions } from '../options.js'
import { reviewPod } from './review.js'

/** PEM. */
export interface ServerIdentity {
  /** Leaf first. */
  readonly certificateChain: string
  readonly privateKey: string
}

export interface WebhookServerOptions {
  /** The server's certificate; handshakes after a change get the new one. */
  readonly identity: Watch<ServerIdentity | undefined>
  /** Read for each review, so that values and mesh config may change. */
  readonly inject?: () => InjectOptions
  /** Of one review, in bytes; default 3 MiB, what Kubernetes keeps of an object at most. */
  readonly maxBytes?: number
  readonly logger?: Logger
}

export interface WebhookServer {
  /** Binds `host:port`; port 0 takes a free one. Gives the address that was bound. */
  listen(address: string): Promise<string>
  close(): Promise<void>
}

const DEFAULT_MAX_BYTES = 3 * 1024 * 1024
/** Nobody nests a pod this deep; who does wants to exhaust a stack. */
const MAX_DEPTH = 200

/**
 * The admission webhook over HTTPS: `POST /inject` answers AdmissionReviews (v1, v1beta1), `GET /ready` says 200. What is no review of a
 * pod gets a 4xx that says why; a pod that cannot be injected is refused in the review's own words.
 */
export function createWebhookServer(options: WebhookServerOptions): WebhookServer {
  const { identity, maxBytes = DEFAULT_MAX_BYTES, logger = silentLogger } = options
  const server = createServer((request, response) => {
    const send = (answer: Answer): void => {
      if (response.destroyed) return
      const { status, text } = answer
      if (status >= 400) logger.warn({ status, text, path: request.url }, 'a review was refused')
      reply(response, answer)
    }
    const early = answerUnread(request, maxBytes)
    if (early !== undefined) {
      request.resume()
      return send(early)
    }
    readBody(request, maxBytes, (body) => {
      try {
        send(body === undefined ? tooLong(maxBytes) : answerReview(body, options.inject?.() ?? {}))
      } catch (error) {
        logger.error({ error: String(error) }, 'a review failed')
        send({ status: 500, text: 'the review failed; the log of the webhook tells why' })
      }
    })
  })
  server.requestTimeout = 30_000
  // Longer than the API server keeps an idle connection (Go: 90 s): else both ends would use and close one at the same moment.
  server.keepAliveTimeout = 120_000
  // A client that speaks no TLS, or goes away in the handshake, is nobody's error.
  server.on('tlsClientError', (error) => logger.debug({ error: error.message }, 'a handshake failed'))
  const present = (current: ServerIdentity | undefined): void => {
    if (current !== undefined)
      server.setSecureContext({ key: current.privateKey, cert: current.certificateChain, minVersion: 'TLSv1.2' })
  }
  present(identity.current)
  const forget = identity.subscribe(present)
  return {
    listen(address) {
      const at = address.lastIndexOf(':')
      const host = address.slice(0, at).replace(/^\[|\]$/g, '')
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ port: Number(address.slice(at + 1)), host, backlog: 4096 }, () => {
          const bound = server.address()
          resolve(`${address.slice(0, at)}:${typeof bound === 'object' && bound !== null ? bound.port : ''}`)
        })
      })
    },
    close() {
      forget()
      server.closeIdleConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

interface Answer {
  status: number
  /** JSON where the status is 200 and a review was asked for; else a sentence. */
  text: string
  json?: true
}

const tooLong = (maxBytes: number): Answer => ({ status: 413, text: `a review has at most ${maxBytes} bytes` })

/** What can be said before the body has come; undefined: it is to be read. */
function answerUnread({ url = '/', method, headers }: IncomingMessage, maxBytes: number): Answer | undefined {
  const path = url.split('?')[0]!
  if (path === '/ready' || path === '/httpsReady') return { status: 200, text: 'ready' }
  if (path !== '/inject' && !path.startsWith('/inject/')) return { status: 404, text: 'reviews go to /inject' }
  if (method !== 'POST') return { status: 405, text: 'reviews come by POST' }
  const type = headers['content-type']?.split(';')[0]?.trim()
  if (type !== 'application/json') return { status: 415, text: `a review is application/json, not ${type ?? 'untyped'}` }
  return Number(headers['content-length'] ?? 0) > maxBytes ? tooLong(maxBytes) : undefined
}

function answerReview(body: string, options: InjectOptions): Answer {
  const review = parse(body)
  if (review.text !== undefined) return { status: 400, text: review.text }
  const result = reviewPod(review.value, options)
  if (result.ok) return { status: 200, text: JSON.stringify(result.value), json: true }
  return { status: 400, text: result.diagnostics.map(({ message }) => message).join(' ') }
}

/** Once, when the body is whole; undefined: more than `maxBytes`, of which the rest is not kept. Never where the client goes away. */
function readBody(request: IncomingMessage, maxBytes: number, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  // By events: an async iterator over each body took a tenth of a review's time.
  request.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size <= maxBytes) chunks.push(chunk)
    else chunks.length = 0
  })
  request.on('end', () => {
    if (size > maxBytes) done(undefined)
    else done(chunks.length === 1 ? chunks[0]!.toString('utf8') : Buffer.concat(chunks).toString('utf8'))
  })
}

function parse(body: string): { value?: unknown; text?: string } {
  if (depthOf(body) > MAX_DEPTH) return { text: `the review is nested deeper than ${MAX_DEPTH}` }
  try {
    return { value: JSON.parse(body) as unknown }
  } catch (error) {
    return { text: `the review is no JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** Of brackets, outside of strings. */
function depthOf(text: string): number {
  let [depth, deepest, quoted] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (quoted) {
      if (c === 0x5c) i++
      else if (c === 0x22) quoted = false
    } else if (c === 0x22) quoted = true
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (c === 0x7d || c === 0x5d) depth--
  }
  return deepest
}

function reply(response: ServerResponse, { status, text, json }: Answer): void {
  const body = json === true ? text : `${text}\n`
  // What was not read to its end must not be taken for the next request.
  const close = status === 413 ? { connection: 'close' } : {}
  const type = json === true ? 'application/json' : 'text/plain; charset=utf-8'
  // With its length, the head goes out together with the body, and nothing is chunked.
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...close }).end(body)
}
