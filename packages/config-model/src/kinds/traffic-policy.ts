import { fields } from '../decode/fields.js'
import { warn } from '../decode/site.js'
import {
  CODE_DEPRECATED,
  type Decode,
  decimal,
  duration,
  flag,
  int32,
  listOf,
  oneOf,
  text,
  uint32,
  uint64,
} from '../decode/value.js'
import type {
  ClientTLSSettings,
  Duration,
  LocalityLoadBalancerSetting,
  PortSelector,
  ZoneAwareLoadBalancerSetting,
} from './common.js'
import { clientTlsSettings, localityLbSetting, portSelector, texts, zoneAwareLbSetting } from './common.js'

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
  warmup?: Warmup
  /** @deprecated Read when `warmup` is absent. */
  warmupDurationSecs?: Duration
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

const cookieAttribute = fields<{ name: string; value?: string }>({ name: text, value: text }, { defaults: { name: '' } })

const httpCookie = fields<HTTPCookie>(
  { name: text, path: text, ttl: duration, attributes: listOf(cookieAttribute) },
  { defaults: { name: '' } },
)

const consistentHash = fields<ConsistentHash>(
  {
    httpHeaderName: text,
    httpCookie,
    useSourceIp: flag,
    httpQueryParameterName: text,
    ringHash: fields<{ minimumRingSize?: number }>({ minimumRingSize: uint64 }),
    maglev: fields<{ tableSize?: number }>({ tableSize: uint64 }),
  },
  {
    legacy: {
      minimumRingSize(value, target, site) {
        const size = uint64(value, site)
        if (size === undefined) return
        warn(site, CODE_DEPRECATED, 'minimumRingSize is deprecated: use ringHash.minimumRingSize')
        if (size > 0 && target.ringHash === undefined) target.ringHash = { minimumRingSize: size }
      },
    },
  },
)

export const loadBalancerSettings: Decode<LoadBalancerSettings> = fields<LoadBalancerSettings>({
  simple: oneOf('UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'),
  consistentHash,
  localityLbSetting,
  zoneAwareLbSetting,
  warmup: fields<Warmup>({ duration, minimumPercent: decimal, aggression: decimal }, { defaults: { duration: 0 } }),
  warmupDurationSecs: duration,
})

export const tcpKeepalive: Decode<TcpKeepalive> = fields<TcpKeepalive>({ probes: uint32, time: duration, interval: duration })

export const connectionPoolSettings: Decode<ConnectionPoolSettings> = fields<ConnectionPoolSettings>({
  tcp: fields<TCPSettings>({
    maxConnections: int32,
    connectTimeout: duration,
    tcpKeepalive,
    maxConnectionDuration: duration,
    idleTimeout: duration,
  }),
  http: fields<HTTPSettings>({
    http1MaxPendingRequests: int32,
    http2MaxRequests: int32,
    maxRequestsPerConnection: int32,
    maxRetries: int32,
    idleTimeout: duration,
    h2UpgradePolicy: oneOf('DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'),
    useClientProtocol: flag,
    maxConcurrentStreams: int32,
    http2KeepAlive: fields<{ interval?: number; timeout?: number }>({ interval: duration, timeout: duration }),
  }),
})

export const outlierDetection: Decode<OutlierDetection> = fields<OutlierDetection>({
  consecutiveErrors: int32,
  splitExternalLocalOriginErrors: flag,
  consecutiveLocalOriginFailures: uint32,
  consecutiveGatewayErrors: uint32,
  consecutive5xxErrors: uint32,
  interval: duration,
  baseEjectionTime: duration,
  maxEjectionPercent: int32,
  minHealthPercent: int32,
  outlierDetectionHttpErrorCodes: texts,
})

const portTrafficPolicy = fields<PortTrafficPolicy>(
  {
    port: portSelector,
    loadBalancer: loadBalancerSettings,
    connectionPool: connectionPoolSettings,
    outlierDetection,
    tls: clientTlsSettings,
  },
  { required: ['port'] },
)

export const trafficPolicy: Decode<TrafficPolicy> = fields<TrafficPolicy>({
  loadBalancer: loadBalancerSettings,
  connectionPool: connectionPoolSettings,
  outlierDetection,
  tls: clientTlsSettings,
  portLevelSettings: listOf(portTrafficPolicy),
  tunnel: fields<TunnelSettings>(
    { protocol: text, targetHost: text, targetPort: uint32 },
    { defaults: { targetHost: '', targetPort: 0 } },
  ),
  proxyProtocol: fields<{ version?: 'V1' | 'V2' }>({ version: oneOf('V1', 'V2') }),
  retryBudget: fields<RetryBudget>({ percent: decimal, minRetryConcurrency: uint32, budgetInterval: duration }),
})
