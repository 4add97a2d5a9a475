import type { Container, Named } from './kubernetes.js'

/** The values of Istio's istiod chart that injection reads, under the chart's names; the defaults are the chart's. */
export interface InjectionValues {
  revision: string
  global: {
    hub: string
    tag: string
    istioNamespace: string
    imagePullPolicy: string
    imagePullSecrets: readonly string[]
    /** '' is `istiod[-<revision>].<istioNamespace>.svc:15012`. */
    caAddress: string
    pilotCertProvider: string
    /** '' is the trust domain. */
    meshID: string
    network: string
    multiCluster: { clusterName: string }
    logging: { level: string }
    logAsJson: boolean
    mountMtlsCerts: boolean
    podDNSSearchNamespaces: readonly string[]
    sds: { token: { aud: string } }
    sts: { servicePort: number }
    /** `openshift` chooses the users of gateways itself. */
    platform: string
    /** '' is istio-ca-root-cert. */
    trustBundleName: string
    waypoint: WaypointValues
    proxy: ProxyValues
    proxy_init: { image: string; forceApplyIptables: boolean }
    /** Capture by nftables instead of iptables. */
    nativeNftables: boolean
  }
  /** With CNI the rules are made outside the pod; `multus` needs a network attachment. */
  pilot: { cni: { enabled: boolean; provider: string }; env: Readonly<Record<string, unknown>> }
  sidecarInjectorWebhook: { rewriteAppHTTPProbe: boolean }
  /** Of pods that are deployed for Gateways. */
  gateways: { securityContext?: Record<string, unknown>; seccompProfile?: Record<string, unknown> }
}

/** Where waypoints run and what they may take; fields of a pod. */
export interface WaypointValues {
  resources: NonNullable<Container['resources']>
  affinity: Record<string, unknown>
  topologySpreadConstraints: readonly Record<string, unknown>[]
  nodeSelector: Record<string, string>
  tolerations: readonly Record<string, unknown>[]
}

export interface ProxyValues {
  image: string
  clusterDomain: string
  logLevel: string
  componentLogLevel: string
  privileged: boolean
  enableCoreDump: boolean
  statusPort: number
  readinessInitialDelaySeconds: number
  readinessPeriodSeconds: number
  readinessFailureThreshold: number
  startupProbe: { enabled: boolean; failureThreshold: number }
  includeIPRanges: string
  excludeIPRanges: string
  includeInboundPorts: string
  excludeInboundPorts: string
  includeOutboundPorts: string
  excludeOutboundPorts: string
  holdApplicationUntilProxyStarts: boolean
  /** '' logs no outlier events. */
  outlierLogPath: string
  seccompProfile?: Record<string, unknown>
  capNetBindService: string
  resources: NonNullable<Container['resources']>
  /** Replaces the hooks that a template would set. */
  lifecycle?: NonNullable<Container['lifecycle']>
}

/** Values as a user writes them: any part. */
export type ValuesInput = DeepPartial<InjectionValues>

type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T

export const DEFAULT_VALUES: InjectionValues = {
  revision: '',
  global: {
    hub: 'registry.istio.io/release',
    tag: '1.32.0',
    istioNamespace: 'istio-system',
    imagePullPolicy: '',
    imagePullSecrets: [],
    caAddress: '',
    pilotCertProvider: 'istiod',
    meshID: '',
    network: '',
    multiCluster: { clusterName: '' },
    logging: { level: 'default:info' },
    logAsJson: false,
    mountMtlsCerts: false,
    podDNSSearchNamespaces: [],
    sds: { token: { aud: 'istio-ca' } },
    sts: { servicePort: 0 },
    platform: '',
    trustBundleName: '',
    waypoint: {
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2', memory: '1Gi' } },
      affinity: {},
      topologySpreadConstraints: [],
      nodeSelector: {},
      tolerations: [],
    },
    proxy: {
      image: 'proxyv2',
      clusterDomain: 'cluster.local',
      logLevel: 'warning',
      componentLogLevel: 'misc:error',
      privileged: false,
      enableCoreDump: false,
      statusPort: 15020,
      readinessInitialDelaySeconds: 0,
      readinessPeriodSeconds: 15,
      readinessFailureThreshold: 4,
      startupProbe: { enabled: true, failureThreshold: 600 },
      includeIPRanges: '*',
      excludeIPRanges: '',
      includeInboundPorts: '*',
      excludeInboundPorts: '',
      includeOutboundPorts: '',
      excludeOutboundPorts: '',
      holdApplicationUntilProxyStarts: false,
      outlierLogPath: '',
      capNetBindService: 'false',
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2', memory: '1Gi' } },
    },
    proxy_init: { image: 'proxyv2', forceApplyIptables: false },
    nativeNftables: false,
  },
  pilot: { cni: { enabled: false, provider: 'default' }, env: {} },
  sidecarInjectorWebhook: { rewriteAppHTTPProbe: true },
  gateways: {},
}

/** Istio's defaults with `input` laid over them, as Helm does: objects field by field, lists as a whole. */
export function resolveValues(input: ValuesInput = {}, defaults: InjectionValues = DEFAULT_VALUES): InjectionValues {
  return overlay(defaults, input) as InjectionValues
}

function overlay(base: unknown, input: unknown): unknown {
  if (input === undefined || input === null) return base
  if (!isObject(base) || !isObject(input)) return input
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(input)) merged[key] = overlay(merged[key], value)
  return merged
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `imagePullSecrets` of a pod. */
export function pullSecrets(values: InjectionValues): Named[] {
  return values.global.imagePullSecrets.map((name) => ({ name }))
}
