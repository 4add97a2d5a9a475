import type { PortProtocol } from '@heddle/config-model'

/** What a port's protocol means for listeners and routes (istio/pkg/config/protocol). */

const BY_NAME: Readonly<Record<string, PortProtocol>> = {
  tcp: 'TCP',
  udp: 'UDP',
  grpc: 'GRPC',
  'grpc-web': 'GRPC-Web',
  http: 'HTTP',
  http_proxy: 'HTTP_PROXY',
  http2: 'HTTP2',
  https: 'HTTPS',
  tls: 'TLS',
  mongo: 'MONGO',
  redis: 'REDIS',
  mysql: 'MYSQL',
  hbone: 'HBONE',
  double_hbone: 'DOUBLE_HBONE',
}

/** The protocol that a user wrote in a Sidecar, Gateway or ServiceEntry port; `Unsupported` is "to be detected". */
export function parseProtocol(text: string | undefined): PortProtocol {
  return BY_NAME[(text ?? '').toLowerCase()] ?? 'Unsupported'
}

export function isHttp(protocol: PortProtocol): boolean {
  return (
    protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'HTTP_PROXY' || protocol === 'GRPC' || protocol === 'GRPC-Web'
  )
}

export function isHttp2(protocol: PortProtocol): boolean {
  return protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web'
}

export function isTcp(protocol: PortProtocol): boolean {
  return (
    protocol === 'TCP' ||
    protocol === 'HTTPS' ||
    protocol === 'TLS' ||
    protocol === 'MONGO' ||
    protocol === 'REDIS' ||
    protocol === 'MYSQL'
  )
}

export function isTls(protocol: PortProtocol): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS'
}

export function isHttpOrSniffed(protocol: PortProtocol): boolean {
  return isHttp(protocol) || protocol === 'Unsupported'
}

export type ListenerProtocol = 'http' | 'tcp' | 'auto' | 'none'

/** How a listener treats a port: HTTP, opaque bytes, or by looking at the first bytes. UDP gets no listener. */
export function listenerProtocol(protocol: PortProtocol): ListenerProtocol {
  if (isHttp(protocol)) return 'http'
  if (isTcp(protocol)) return 'tcp'
  return protocol === 'Unsupported' ? 'auto' : 'none'
}

/** What is inside once TLS is taken off. */
export function afterTlsTermination(protocol: PortProtocol): PortProtocol {
  return protocol === 'HTTPS' ? 'HTTP' : protocol === 'TLS' ? 'TCP' : protocol
}
