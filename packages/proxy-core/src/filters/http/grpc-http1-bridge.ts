import type { Config } from '@heddle/xds-types/envoy/extensions/filters/http/grpc_http1_bridge/v3'
import { compileMessage } from '../../config/fields.js'
import { bodyOf } from '../../http/body.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import { isGrpc } from '../../http/local-reply.js'
import type { HttpResponse } from '../../http/message.js'

/** An answer is held until its trailers have come, up to so much. */
const MAX_BYTES = 4 * 1024 * 1024

/**
 * envoy.filters.http.grpc_http1_bridge: gRPC for clients that speak HTTP/1.1 and cannot read trailers. grpc-status and
 * grpc-message become headers of an answer with a length; a status other than 0 is HTTP 503.
 */
export const grpcHttp1BridgeFilter: HttpFilterFactory<undefined> = {
  typeNames: ['envoy.extensions.filters.http.grpc_http1_bridge.v3.Config'],
  decode: (config, path) =>
    compileMessage(config as Config, path, (fields) => {
      if (fields.boolean('upgrade_protobuf_to_grpc')) fields.problem('is not supported.', 'upgrade_protobuf_to_grpc')
      fields.done({ ignore_query_parameters: 'belongs to upgrade_protobuf_to_grpc' })
      return undefined
    }),
  create: () => (stream) => ({
    onResponse(response) {
      const { request } = stream
      return request.protocol !== 'HTTP/2' && isGrpc(request.headers) ? bridge(response) : undefined
    },
  }),
}

function bridge(response: HttpResponse): void | Promise<void> {
  if (response.headers.has('grpc-status')) {
    setStatus(response)
    return undefined
  }
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let length = 0
    response.body.consume({
      data(chunk) {
        length += chunk.length
        if (length <= MAX_BYTES) chunks.push(Buffer.from(chunk))
        return true
      },
      end(trailers) {
        if (length > MAX_BYTES) {
          reject(new Error(`the answer is larger than ${MAX_BYTES} bytes`))
          return
        }
        for (const [name, value] of trailers ?? [])
          if (name === 'grpc-status' || name === 'grpc-message') response.headers.set(name, value)
        response.body = bodyOf(Buffer.concat(chunks))
        response.headers.set('content-length', String(length))
        setStatus(response)
        resolve()
      },
      abort: reject,
    })
  })
}

function setStatus(response: HttpResponse): void {
  const status = response.headers.get('grpc-status')
  if (status !== undefined && status !== '0') response.status = 503
}
