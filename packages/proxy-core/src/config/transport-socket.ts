import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { DownstreamTlsContext, UpstreamTlsContext } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { ClientTlsContext, ServerTlsContext } from '../net/tls.js'
import type { CompileDeps } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileClientTls, compileServerTls } from './tls-context.js'

const TLS = 'envoy.extensions.transport_sockets.tls.v3'
const RAW = 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'

/** Undefined: plaintext. */
export function compileServerSocket(
  fields: Fields<TransportSocket> | undefined,
  deps: CompileDeps,
): ServerTlsContext | undefined {
  return compileSocket(fields, `${TLS}.DownstreamTlsContext`, (config) =>
    compileServerTls(config as Fields<DownstreamTlsContext>, deps),
  )
}

/** Undefined: plaintext. */
export function compileClientSocket(
  fields: Fields<TransportSocket> | undefined,
  deps: CompileDeps,
): ClientTlsContext | undefined {
  return compileSocket(fields, `${TLS}.UpstreamTlsContext`, (config) =>
    compileClientTls(config as Fields<UpstreamTlsContext>, deps),
  )
}

function compileSocket<C>(
  fields: Fields<TransportSocket> | undefined,
  tlsType: string,
  compile: (config: Fields<unknown>) => C,
): C | undefined {
  if (fields === undefined) return undefined
  const config = fields.any('typed_config')
  const name = fields.string('name')
  fields.done()
  if (config?.typeName === tlsType) return compile(fieldsOf<unknown>(config, fields as Fields<never>))
  const plain = config === undefined ? name === 'envoy.transport_sockets.raw_buffer' : config.typeName === RAW
  if (!plain) fields.problem(`${config?.typeName ?? name} is not supported: use tls or raw_buffer.`, 'typed_config')
  return undefined
}
