import { ask } from '../ask.js'
import type { ProxyDescriptor } from '../proxy.js'

/** Whether the node is an application's own gRPC library instead of a proxy: node metadata GENERATOR. */
export function isProxyless(proxy: ProxyDescriptor): boolean {
  return ask(proxy, 'proxyless', ({ metadata }) => metadata['GENERATOR'] === 'grpc')
}
