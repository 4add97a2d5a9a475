import type { GrpcJsonTranscoder } from '@heddle/xds-types/envoy/extensions/filters/http/grpc_json_transcoder/v3'
import { compileMessage } from '../../config/fields.js'
import { bodyOf, readWhole } from '../../http/body.js'
import type { HttpFilter, HttpFilterFactory } from '../../http/filter.js'
import { isGrpc } from '../../http/local-reply.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { frameMessage } from '../../upstream/grpc-messages.js'
import { compileTranscoder, type TranscoderConfig } from './grpc-json-transcoder-config.js'
import { giveResponse } from './transcoding/give-response.js'
import { httpBodyMessage, isHttpBody } from './transcoding/http-body.js'
import { type MatchedCall, matchCall, parseJson, type Route, requestMessage } from './transcoding/methods.js'
import { TranscodingError } from './transcoding/to-json.js'

/**
 * envoy.filters.http.grpc_json_transcoder: HTTP and JSON for gRPC services, by the google.api.http rules of a descriptor set; unary
 * and streaming calls, errors as HTTP statuses.
 */
export const grpcJsonTranscoderFilter: HttpFilterFactory<TranscoderConfig> = {
  typeNames: ['envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder'],
  decode: (config, path, deps) => compileMessage(config as GrpcJsonTranscoder, path, (fields) => compileTranscoder(fields, deps)),
  decodePerRoute: (config, path) =>
    compileMessage(config as GrpcJsonTranscoder, path, (fields) => compileTranscoder(fields, undefined)),
  create: (config, _deps, name) => (stream) =>
    createFilter((stream.perRouteConfig(name) as TranscoderConfig | undefined) ?? config),
  explain(config, { head, perRoute }) {
    const { routes, match } = (perRoute as TranscoderConfig | undefined) ?? config
    const call = isGrpc(head.headers) ? undefined : matchCall(routes, head.method, head.path, match)
    return call === undefined ? undefined : { outcome: 'pass', reason: `becomes ${call.route.path}` }
  },
}

function createFilter(config: TranscoderConfig): HttpFilter {
  let transcoded: Route | undefined
  return {
    onRequest(request, stream) {
      if (config.routes.length === 0 || isGrpc(request.headers) || request.upgrade !== undefined) return undefined
      const call = matchCall(config.routes, request.method, request.path, config.match)
      if (call === undefined) return config.rejectUnknownMethod ? unknownMethod(request) : undefined
      const [unknown] = config.ignoreUnknownQuery ? [] : call.unknownQuery
      if (unknown !== undefined) return config.rejectUnknownQuery ? unknownQuery(unknown, call.route) : undefined
      return takeRequest(request, call, config).then((reply) => {
        if (reply !== undefined) return reply
        transcoded = call.route
        if (!config.keepsRoute) stream.clearRoute()
        return undefined
      })
    },
    onResponse: (response, stream) =>
      transcoded === undefined || !isGrpc(response.headers)
        ? undefined
        : giveResponse(response, transcoded, config, stream.request.protocol),
  }
}

const unknownMethod = ({ path }: HttpRequest): LocalReply => ({
  status: 404,
  body: `Could not resolve ${path.split('?')[0]} to a method.`,
  details: 'early_grpc_json_transcode_failure{NOT_FOUND}',
})

const unknownQuery = (name: string, { input }: Route): LocalReply => ({
  status: 400,
  body: `Could not find field "${name}" in the type "${input.name}".`,
  details: 'early_grpc_json_transcode_failure{INVALID_ARGUMENT}',
})

async function takeRequest(request: HttpRequest, call: MatchedCall, config: TranscoderConfig): Promise<LocalReply | undefined> {
  const { headers, method, path } = request
  try {
    const { bytes } = await readWhole(request.body, config.maxRequestBytes)
    request.body = bodyOf(
      Buffer.concat(messagesOf(Buffer.from(bytes), call, headers.get('content-type') ?? '', config).map(frameMessage)),
    )
  } catch (error) {
    if (error instanceof TranscodingError)
      return { status: 400, body: error.message, details: 'grpc_json_transcode_failure{INVALID_ARGUMENT}' }
    if ((error as { code?: string }).code !== 'too_large') throw error
    return { status: 413, body: 'Payload Too Large', details: 'request_payload_too_large', closes: true }
  }
  headers.set('x-envoy-original-method', method)
  headers.set('x-envoy-original-path', path)
  headers.set('content-type', 'application/grpc')
  headers.set('te', 'trailers')
  headers.delete('content-length')
  request.method = 'POST'
  request.path = call.route.path
  return undefined
}

/** A stream of messages is a JSON array. */
function messagesOf(body: Buffer, call: MatchedCall, contentType: string, config: TranscoderConfig): readonly Buffer[] {
  const { route } = call
  const { types, caseInsensitiveEnums } = config
  const parse = { caseInsensitiveEnums }
  if (isHttpBody(route.input, route.body, types)) return [httpBodyMessage(body, contentType, call, types, parse)]
  if (!route.method.clientStreaming) return [requestMessage(call, body, types, parse)]
  const list = body.length === 0 ? [] : parseJson(body)
  if (!Array.isArray(list)) throw new TranscodingError('the body of a streaming call must be a JSON array')
  return list.map((json) => requestMessage(call, Buffer.from(JSON.stringify(json)), types, parse))
}
