import type { ClientTLSSettings, Duration } from './common.js'
import type { ForwardClientCertDetails } from './mesh-config.js'

/** Which headers the proxy adds. Absent: Istio's default, on except for x-forwarded-host and -port. */
export interface ProxyHeaders {
  forwardedClientCert?: ForwardClientCertDetails
  setCurrentClientCertDetails?: { subject?: boolean; cert?: boolean; chain?: boolean; dns?: boolean; uri?: boolean }
  requestId?: { disabled?: boolean }
  server?: { disabled?: boolean; value?: string }
  attemptCount?: { disabled?: boolean }
  envoyDebugHeaders?: { disabled?: boolean }
  metadataExchangeHeaders?: { mode?: 'UNDEFINED' | 'IN_MESH' }
  preserveHttp1HeaderCase?: boolean
  xForwardedHost?: { enabled?: boolean }
  xForwardedPort?: { enabled?: boolean }
}

/** Buffers, timeouts and limits of connections; EDGE is hardened for gateways. */
export interface ConnectionSettings {
  profile?: 'UNSPECIFIED' | 'SIDECAR' | 'EDGE'
  listenerPerConnectionBufferLimitBytes?: number
  clusterPerConnectionBufferLimitBytes?: number
  httpIdleTimeout?: Duration
  httpMaxConnectionDuration?: Duration
  httpDrainTimeout?: Duration
  httpRequestTimeout?: Duration
  httpRequestHeadersTimeout?: Duration
  httpStreamIdleTimeout?: Duration
  httpMaxStreamDuration?: Duration
  httpMaxConcurrentStreams?: number
  http2InitialStreamWindowSize?: number
  http2InitialConnectionWindowSize?: number
  httpHeadersWithUnderscoresAction?: string
  httpMergeSlashes?: boolean
  httpPathWithEscapedSlashesAction?: string
  listenerConnectionLimit?: number
  globalDownstreamConnectionLimit?: number
}

/** ProxyConfig.tracing. */
export interface ProxyTracing {
  zipkin?: { address: string }
  lightstep?: { address?: string; accessToken?: string }
  datadog?: { address: string }
  stackdriver?: Readonly<Record<string, unknown>>
  openCensusAgent?: Readonly<Record<string, unknown>>
  customTags?: Readonly<Record<string, MeshCustomTag>>
  /** Default 256. */
  maxPathTagLength?: number
  /** Percent; default 1. */
  sampling?: number
  tlsSettings?: ClientTLSSettings
  enableIstioTags?: boolean
}

export interface MeshCustomTag {
  literal?: { value: string }
  environment?: { name: string; defaultValue?: string }
  header?: { name: string; defaultValue?: string }
}
