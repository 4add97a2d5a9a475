import type { BufferPerRoute, Buffer as BufferProto } from '@heddle/xds-types/envoy/extensions/filters/http/buffer/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { FILTER_DISABLED } from '../../config/per-filter-config.js'
import { bodyOf, readWhole } from '../../http/body.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'

interface BufferConfig {
  readonly maxBytes: number
}

/** envoy.filters.http.buffer: the request goes on when it has come whole, with its length; one that is larger gets 413. */
export const bufferFilter: HttpFilterFactory<BufferConfig> = {
  typeNames: ['envoy.extensions.filters.http.buffer.v3.Buffer'],
  perRouteTypeNames: ['envoy.extensions.filters.http.buffer.v3.BufferPerRoute'],
  decode: (config, path) => compileMessage(config as BufferProto, path, compile),
  decodePerRoute: (config, path) =>
    compileMessage(config as BufferPerRoute, path, (fields) => {
      const disabled = fields.boolean('disabled')
      const buffer = fields.message('buffer')
      const own = buffer && compile(buffer)
      fields.done()
      if (!disabled && own === undefined) fields.problem('needs one of disabled, buffer.')
      return disabled ? FILTER_DISABLED : own
    }),
  create: (config, _deps, name) => (stream) => {
    const { maxBytes } = (stream.perRouteConfig(name) as BufferConfig | undefined) ?? config
    return {
      onRequest: (request) =>
        request.body.length === 0 || request.upgrade !== undefined ? undefined : gather(request, maxBytes),
    }
  },
}

function compile(fields: Fields<BufferProto>): BufferConfig {
  const config = { maxBytes: fields.number('max_request_bytes') }
  if (config.maxBytes < 1) fields.problem('must be 1 or more.', 'max_request_bytes')
  fields.done()
  return config
}

async function gather(request: HttpRequest, maxBytes: number): Promise<LocalReply | undefined> {
  try {
    const { bytes, trailers } = await readWhole(request.body, maxBytes)
    request.body = bodyOf(bytes, trailers)
    if (trailers === undefined) request.headers.set('content-length', String(bytes.length))
    return undefined
  } catch (error) {
    if ((error as { code?: string }).code !== 'too_large') throw error
    return { status: 413, body: 'Payload Too Large', details: 'request_payload_too_large', closes: true }
  }
}
