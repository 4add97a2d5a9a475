import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { ProxyProtocolUpstreamTransport } from '@heddle/xds-types/envoy/extensions/transport_sockets/proxy_protocol/v3'
import type { DownstreamTlsContext, UpstreamTlsContext } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { ClientTlsContext, ServerTlsContext } from '../net/tls.js'
import type { CompileDeps } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileUpstreamProxyProtocol, type UpstreamProxyProtocol } from './proxy-protocol.js'
import { compileClientTls, compileServerTls } from './tls-context.js'

const TLS = 'envoy.extensions.transport_sockets.tls.v3'
const PROXY_PROTOCOL = 'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport'
const RAW = 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'

/** Undefined: plaintext. */
export function compileServerSocket(
  fields: Fields<TransportSocket> | undefined,
  deps: CompileDeps,
  exchanges: boolean,
): ServerTlsContext | undefined {
  return compileSocket(fields, `${TLS}.DownstreamTlsContext`, (config) =>
    compileServerTls(config as Fields<DownstreamTlsContext>, deps, exchanges),
  )
}

/** How a connection to an endpoint begins. */
export interface ClientSocket {
  /** Absent: plaintext. */
  readonly tls?: ClientTlsContext
  /** Comes before everything else, TLS included. */
  readonly proxyProtocol?: UpstreamProxyProtocol
}

export function compileClientSocket(fields: Fields<TransportSocket> | undefined, deps: CompileDeps): ClientSocket {
  const config = fields?.any('typed_config')
  if (fields !== undefined && config?.typeName === PROXY_PROTOCOL) {
    fields.done({ name: 'the type decides' })
    const wrapper = fieldsOf<ProxyProtocolUpstreamTransport>(config, fields as Fields<never>)
    const proxyProtocol = compileUpstreamProxyProtocol(wrapper.message('config'))
    const inner = compileClientSocket(wrapper.message('transport_socket'), deps)
    wrapper.done()
    if (inner.proxyProtocol !== undefined) wrapper.problem('one PROXY header is enough.', 'transport_socket')
    return { ...inner, proxyProtocol }
  }
  const tls = compileSocket(fields, `${TLS}.UpstreamTlsContext`, (context) =>
    compileClientTls(context as Fields<UpstreamTlsContext>, deps),
  )
  return tls === undefined ? {} : { tls }
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
