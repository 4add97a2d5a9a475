import { bodyOf, emptyBody, readWhole } from '../../../http/body.js'
import { transformBody } from '../../../http/body-transform.js'
import type { HeaderMap } from '../../../http/header-map.js'
import type { Body, BodySink, HttpRequest, HttpResponse } from '../../../http/message.js'
import { MessageReader } from '../../../upstream/grpc-messages.js'
import { decodeMessage } from '../../../upstream/grpc-status.js'
import type { TranscoderConfig } from '../grpc-json-transcoder-config.js'
import { isHttpBody, readHttpBody } from './http-body.js'
import type { Route } from './methods.js'
import { toJson } from './to-json.js'

/** google.rpc.Code as HTTP statuses (googleapis: google/rpc/code.proto). */
const HTTP_STATUSES: readonly number[] = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]

export function giveResponse(
  response: HttpResponse,
  route: Route,
  config: TranscoderConfig,
  protocol: HttpRequest['protocol'],
): void | Promise<void> {
  const { headers, body } = response
  headers.delete('content-length')
  if (protocol !== 'HTTP/2') headers.delete('trailer')
  if (body.length === 0) return giveEmpty(response, route, config)
  headers.set('content-type', 'application/json')
  if (!route.method.serverStreaming) return giveUnary(response, route, config)
  if (config.print.stream === 'sse') headers.set('content-type', 'text/event-stream')
  response.body = transformBody(body, (sink) => streamed(sink, route, config, () => body.discard()))
  return undefined
}

/** A status and nothing else. Envoy leaves the content type of a unary call as it was. */
function giveEmpty(response: HttpResponse, { method }: Route, config: TranscoderConfig): void {
  settle(response, response.headers, config, true)
  if (!method.serverStreaming || response.body.length !== 0) return
  response.headers.set('content-type', 'application/json')
  if (config.print.stream === 'array') response.body = { ...bodyOf('[]'), length: undefined }
}

async function giveUnary(response: HttpResponse, route: Route, config: TranscoderConfig): Promise<void> {
  const { headers } = response
  let message: Uint8Array | undefined
  const { bytes, trailers } = await readWhole(response.body, config.maxResponseBytes)
  const problem = new MessageReader(config.maxResponseBytes, (each) => {
    message ??= each
  }).push(bytes)
  if (problem !== undefined) throw new Error(problem)
  response.body = emptyBody
  if (message !== undefined && isHttpBody(route.output, route.responseBody, config.types)) {
    const { contentType, data } = readHttpBody(message)
    headers.set('content-type', contentType)
    response.body = wholeBody(data, trailers)
  } else if (message !== undefined) response.body = wholeBody(Buffer.from(jsonOf(message, route, config)), trailers)
  settle(response, trailers ?? headers, config, trailers === undefined)
  if (response.body.length !== undefined) headers.set('content-length', String(response.body.length))
}

/** Its length is known, and trailers follow where they can. */
function wholeBody(bytes: Buffer, trailers: HeaderMap | undefined): Body {
  return { ...bodyOf(bytes, trailers), length: bytes.length }
}

function jsonOf(message: Uint8Array, { output, responseBody }: Route, { types, print }: TranscoderConfig): string {
  const whole = toJson(message, output, types, print)
  const field = responseBody === '' ? undefined : output.byName(responseBody)
  const value =
    field === undefined ? whole : ((whole as Record<string, unknown>)[print.preserveNames ? field.name : field.jsonName] ?? null)
  return print.whitespace ? `${JSON.stringify(value, undefined, 1)}\n` : JSON.stringify(value)
}

/** What grpc-status means in HTTP. `inHeaders`: an answer without a body has it there already. */
function settle(response: HttpResponse, told: HeaderMap, config: TranscoderConfig, inHeaders: boolean): void {
  const { headers } = response
  const text = told.get('grpc-status')
  const code = text !== undefined && /^\d{1,2}$/.test(text) ? Number(text) : -1
  response.status = code < 0 ? 503 : (HTTP_STATUSES[code] ?? 500)
  const message = told.get('grpc-message')
  if (config.convertStatus && code > 0) {
    const said = message === undefined ? {} : { message: decodeMessage(message) }
    const json = JSON.stringify({ code, ...said, ...(config.print.alwaysPrint && { details: [] }) })
    response.body = bodyOf(json)
    headers.set('content-length', String(Buffer.byteLength(json)))
    headers.set('content-type', 'application/json')
    headers.delete('grpc-status')
    headers.delete('grpc-message')
    headers.delete('grpc-status-details-bin')
    return
  }
  if (inHeaders) return
  if (code >= 0) headers.set('grpc-status', String(code))
  if (message !== undefined) headers.set('grpc-message', message)
}

/** A stream of messages: a JSON array, lines, or events. */
function streamed(sink: BodySink, route: Route, config: TranscoderConfig, discard: () => void): BodySink {
  const { stream } = config.print
  const raw = isHttpBody(route.output, route.responseBody, config.types)
  let count = 0
  let wants = true
  let broken = false
  const give = (message: Uint8Array): void => {
    if (raw) wants = sink.data(readHttpBody(message).data) && wants
    else wants = sink.data(Buffer.from(delimited(jsonOf(message, route, config)))) && wants
    count++
  }
  const delimited = (json: string): string =>
    stream === 'newline' ? `${json}\n` : stream === 'sse' ? `data: ${json}\n\n` : `${count === 0 ? '[' : ','}${json}`
  const reader = new MessageReader(config.maxResponseBytes, give)
  return {
    data(chunk) {
      if (broken) return true
      wants = true
      try {
        const problem = reader.push(chunk)
        if (problem !== undefined) throw new Error(problem)
      } catch (error) {
        broken = true
        discard()
        sink.abort(error as Error)
      }
      return wants
    },
    end(trailers) {
      if (broken) return
      if (!raw && stream === 'array') sink.data(Buffer.from(count === 0 ? '[]' : ']'))
      sink.end(trailers)
    },
    abort: (error) => sink.abort(error),
  }
}
