import type { ForwardClientCertDetails, MeshProxyConfig } from '@heddle/config-model'

export type ListenerClass = 'inbound' | 'outbound' | 'gateway'

/** ProxyConfig.proxyHeaders with Istio's defaults: what a connection manager adds to requests and responses. */
export interface ProxyHeaderSettings {
  /** Include x-envoy-attempt-count. */
  readonly attemptCount: boolean
  /** '' is Envoy's own. */
  readonly serverName: string
  readonly passServerThrough: boolean
  readonly forwardClientCert: Exclude<ForwardClientCertDetails, 'UNDEFINED'>
  readonly generateRequestId: boolean
  readonly suppressDebugHeaders: boolean
  readonly skipExchangeHeaders: boolean
  /** HTTP/1 header names keep the case in which they came. */
  readonly preserveCase: boolean
  readonly forwardedHost: boolean
  readonly forwardedPort: boolean
  readonly clientCertDetails: {
    readonly subject: boolean
    readonly uri: boolean
    readonly dns: boolean
    readonly cert: boolean
    readonly chain: boolean
  }
}

export function proxyHeaders(config: MeshProxyConfig, listener: ListenerClass): ProxyHeaderSettings {
  const given = config.proxyHeaders
  const details = given?.setCurrentClientCertDetails
  const forward = given?.forwardedClientCert
  // Outbound listeners say nothing, and Envoy's default `envoy` stays.
  const serverName = listener === 'outbound' ? '' : 'istio-envoy'
  return {
    attemptCount: given?.attemptCount?.disabled !== true,
    serverName: given?.server?.disabled === true ? '' : ((given?.server?.value || undefined) ?? serverName),
    passServerThrough: given?.server?.disabled === true,
    forwardClientCert: forward === undefined || forward === 'UNDEFINED' ? 'APPEND_FORWARD' : forward,
    generateRequestId: given?.requestId?.disabled !== true,
    suppressDebugHeaders: given?.envoyDebugHeaders?.disabled === true,
    skipExchangeHeaders: given?.metadataExchangeHeaders?.mode === 'IN_MESH',
    preserveCase: given?.preserveHttp1HeaderCase === true,
    forwardedHost: given?.xForwardedHost?.enabled === true,
    forwardedPort: given?.xForwardedPort?.enabled === true,
    clientCertDetails: {
      subject: details?.subject ?? true,
      uri: details?.uri ?? true,
      dns: details?.dns ?? true,
      cert: details?.cert ?? false,
      chain: details?.chain ?? false,
    },
  }
}
