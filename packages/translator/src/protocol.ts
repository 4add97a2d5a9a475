import { isHttp, isTcp, type PortProtocol } from '@heddle/config-model'

/** What a port's protocol means for listeners and routes (istio/pkg/config/protocol). */

export function isHttp2(protocol: PortProtocol): boolean {
  return protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web'
}

export function isGrpc(protocol: PortProtocol): boolean {
  return protocol === 'GRPC' || protocol === 'GRPC-Web'
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
