export { createProxy, type ListenerAddress, type ProxyServer } from './proxy.js'
export { type ProxyOptions, ProxyStartError } from './proxy-options.js'
