import { validateTelemetry } from '../checks/telemetry.js'
import { fields } from '../decode/fields.js'
import { type Decode, decimal, duration, flag, listOf, mapOf, oneOf, text } from '../decode/value.js'
import type { Resource } from '../resource.js'
import type { Duration, MatchLabelsSelector, PolicyTargetReference } from './common.js'
import { matchLabelsSelector, targetReference } from './common.js'
import { defineKind, type Kind } from './kind.js'

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

const METRICS = [
  'ALL_METRICS',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
] as const

export const workloadMode: Decode<WorkloadMode> = oneOf('CLIENT_AND_SERVER', 'CLIENT', 'SERVER')
const modeMatch = fields<{ mode?: WorkloadMode }>({ mode: workloadMode })
const providers = listOf(fields<ProviderRef>({ name: text }, { defaults: { name: '' } }))
const named = fields<{ name: string; defaultValue?: string }>({ name: text, defaultValue: text }, { defaults: { name: '' } })
const valued = fields<{ value: string }>({ value: text }, { defaults: { value: '' } })

const tracing = fields<TelemetryTracing>({
  match: modeMatch,
  providers,
  randomSamplingPercentage: decimal,
  disableSpanReporting: flag,
  customTags: mapOf(
    fields<TelemetryCustomTag>({ literal: valued, environment: named, header: named, formatter: valued }),
    (name) => `tag '${name}' may not have a nil value`,
  ),
  useRequestIdForTraceSampling: flag,
  enableIstioTags: flag,
  disableContextPropagation: flag,
})

const metricsOverride = fields<MetricsOverride>({
  match: fields<{ metric?: string; customMetric?: string; mode?: WorkloadMode }>({
    metric: oneOf(...METRICS),
    customMetric: text,
    mode: workloadMode,
  }),
  disabled: flag,
  tagOverrides: mapOf(
    fields<{ operation?: 'UPSERT' | 'REMOVE'; value?: string }>({ operation: oneOf('UPSERT', 'REMOVE'), value: text }),
  ),
})

export const telemetry: Kind<Telemetry> = defineKind<Telemetry>({
  name: 'Telemetry',
  groups: ['telemetry.istio.io'],
  namespaced: true,
  body: 'spec',
  spec: fields<TelemetrySpec>({
    selector: matchLabelsSelector,
    targetRef: targetReference,
    targetRefs: listOf(targetReference),
    tracing: listOf(tracing),
    metrics: listOf(fields<TelemetryMetrics>({ providers, overrides: listOf(metricsOverride), reportingInterval: duration })),
    accessLogging: listOf(
      fields<TelemetryAccessLogging>({
        match: modeMatch,
        providers,
        disabled: flag,
        filter: fields<{ expression: string }>({ expression: text }, { defaults: { expression: '' } }),
      }),
    ),
  }),
  validate: validateTelemetry,
})
