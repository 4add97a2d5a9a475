import type {
  ClientTLSSettings,
  Duration,
  LocalityLoadBalancerSetting,
  PortSelector,
  ZoneAwareLoadBalancerSetting,
} from './common.js'

/** How traffic to a host is balanced, pooled, judged and secured. */
export interface TrafficPolicy {
  loadBalancer?: LoadBalancerSettings
  connectionPool?: ConnectionPoolSettings
  outlierDetection?: OutlierDetection
  tls?: ClientTLSSettings
  /** Replace the settings above entirely for a port: what one does not name goes back to the default. */
  portLevelSettings?: readonly PortTrafficPolicy[]
  tunnel?: TunnelSettings
  proxyProtocol?: { version?: 'V1' | 'V2' }
  retryBudget?: RetryBudget
}

export interface PortTrafficPolicy {
  port: PortSelector
  loadBalancer?: LoadBalancerSettings
  connectionPool?: ConnectionPoolSettings
  outlierDetection?: OutlierDetection
  tls?: ClientTLSSettings
}

export interface TunnelSettings {
  /** Default CONNECT. */
  protocol?: string
  targetHost: string
  targetPort: number
}

export interface RetryBudget {
  /** Of active requests, 0 to 100; default 20. */
  percent?: number
  /** Default 3. */
  minRetryConcurrency?: number
  budgetInterval?: Duration
}

export type SimpleLoadBalancer = 'UNSPECIFIED' | 'LEAST_CONN' | 'RANDOM' | 'PASSTHROUGH' | 'ROUND_ROBIN' | 'LEAST_REQUEST'

export interface LoadBalancerSettings {
  /** UNSPECIFIED and absent mean LEAST_REQUEST. Never together with `consistentHash`. */
  simple?: SimpleLoadBalancer
  consistentHash?: ConsistentHash
  localityLbSetting?: LocalityLoadBalancerSetting
  zoneAwareLbSetting?: ZoneAwareLoadBalancerSetting
  /** The deprecated `warmupDurationSecs` is read as `warmup.duration`. */
  warmup?: Warmup
}

export interface Warmup {
  duration: Duration
  /** Percent of the weight at the start; default 10. */
  minimumPercent?: number
  /** Default 1.0: linear. */
  aggression?: number
}

export interface ConsistentHash {
  httpHeaderName?: string
  httpCookie?: HTTPCookie
  useSourceIp?: boolean
  httpQueryParameterName?: string
  /** The deprecated `minimumRingSize` is read as `ringHash.minimumRingSize`. Default 1024. */
  ringHash?: { minimumRingSize?: number }
  /** Table size default 65537. */
  maglev?: { tableSize?: number }
}

export interface HTTPCookie {
  name: string
  path?: string
  /** Absent: the proxy generates no cookie. 0: a session cookie. */
  ttl?: Duration
  attributes?: readonly { name: string; value?: string }[]
}

export interface ConnectionPoolSettings {
  tcp?: TCPSettings
  http?: HTTPSettings
}

export interface TcpKeepalive {
  probes?: number
  time?: Duration
  interval?: Duration
}

export interface TCPSettings {
  maxConnections?: number
  /** Default: MeshConfig.connectTimeout, 10 s. */
  connectTimeout?: Duration
  tcpKeepalive?: TcpKeepalive
  maxConnectionDuration?: Duration
  /** Default 1 h; 0 is off. */
  idleTimeout?: Duration
}

export interface HTTPSettings {
  /** 0 is unset, as in the other limits. */
  http1MaxPendingRequests?: number
  http2MaxRequests?: number
  maxRequestsPerConnection?: number
  maxRetries?: number
  idleTimeout?: Duration
  h2UpgradePolicy?: 'DEFAULT' | 'DO_NOT_UPGRADE' | 'UPGRADE'
  useClientProtocol?: boolean
  maxConcurrentStreams?: number
  http2KeepAlive?: { interval?: Duration; timeout?: Duration }
}

export interface OutlierDetection {
  /** @deprecated Not read by the data plane any more. */
  consecutiveErrors?: number
  splitExternalLocalOriginErrors?: boolean
  consecutiveLocalOriginFailures?: number
  consecutiveGatewayErrors?: number
  consecutive5xxErrors?: number
  interval?: Duration
  baseEjectionTime?: Duration
  /** Percent; default 10. */
  maxEjectionPercent?: number
  /** Percent; default 0. */
  minHealthPercent?: number
  outlierDetectionHttpErrorCodes?: readonly string[]
}
