import type { Resource } from '../resource.js'
import type { Duration, MatchLabelsSelector, PolicyTargetReference } from './common.js'

/** telemetry.istio.io Telemetry. */
export interface TelemetrySpec {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
  tracing?: readonly TelemetryTracing[]
  metrics?: readonly TelemetryMetrics[]
  accessLogging?: readonly TelemetryAccessLogging[]
}

export type Telemetry = Resource<'Telemetry', TelemetrySpec>

export type WorkloadMode = 'CLIENT_AND_SERVER' | 'CLIENT' | 'SERVER'

export interface ProviderRef {
  name: string
}

export interface TelemetryTracing {
  match?: { mode?: WorkloadMode }
  providers?: readonly ProviderRef[]
  /** 0 to 100. */
  randomSamplingPercentage?: number
  disableSpanReporting?: boolean
  customTags?: Readonly<Record<string, TelemetryCustomTag>>
  /** Default true. */
  useRequestIdForTraceSampling?: boolean
  /** Default true. */
  enableIstioTags?: boolean
  disableContextPropagation?: boolean
}

export interface TelemetryCustomTag {
  literal?: { value: string }
  environment?: { name: string; defaultValue?: string }
  header?: { name: string; defaultValue?: string }
  formatter?: { value: string }
}

export interface TelemetryMetrics {
  providers?: readonly ProviderRef[]
  overrides?: readonly MetricsOverride[]
  reportingInterval?: Duration
}

export interface MetricsOverride {
  match?: { metric?: string; customMetric?: string; mode?: WorkloadMode }
  disabled?: boolean
  tagOverrides?: Readonly<Record<string, { operation?: 'UPSERT' | 'REMOVE'; value?: string }>>
}

export interface TelemetryAccessLogging {
  match?: { mode?: WorkloadMode }
  providers?: readonly ProviderRef[]
  disabled?: boolean
  filter?: { expression: string }
}
