import { writtenOnce } from '@heddle/xds-types'
import type { HttpConnectionManager_Tracing } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { defined } from '../message.js'
import { versionAtLeast } from '../proxy.js'
import type { ListenerClass } from '../proxy-headers.js'
import { customTags } from './custom-tags.js'
import { tracerOf } from './tracing-providers.js'
import { type TracingSpec, tracingSpec } from './tracing-spec.js'

const ALL = { value: 100 }

/** What a connection manager is told about spans. */
export interface ManagerTracing {
  /** Undefined: there are none. */
  readonly tracing?: HttpConnectionManager_Tracing
  /** Whether x-request-id says if a trace is kept. */
  readonly sampledByRequestId: boolean
}

/** Spans by Telemetry resources and MeshConfig.defaultProviders.tracing; where both are silent, by MeshConfig.enableTracing and ProxyConfig.tracing. */
export function managerTracing(build: Build, listener: ListenerClass): ManagerTracing {
  return build.found.of('tracing', [listener], () => {
    const { tracing, sampledByRequestId } = made(build, listener)
    return tracing === undefined ? { sampledByRequestId } : { tracing: writtenOnce(tracing), sampledByRequestId }
  })
}

function made(build: Build, listener: ListenerClass): ManagerTracing {
  const spec = tracingSpec(build, listener)
  if (spec !== undefined) return byTelemetry(build, spec)
  if (!build.mesh.enableTracing) return { sampledByRequestId: true }
  const { enableIstioTags = true, maxPathTagLength = 0 } = build.proxyConfig.tracing ?? {}
  const tracing = tracingOf({ sampling: proxySampling(build), maxPathTagLength, tags: customTags(build, enableIstioTags) })
  return { tracing, sampledByRequestId: true }
}

function byTelemetry(build: Build, spec: TracingSpec): ManagerTracing {
  const tracer = spec.provider === undefined ? undefined : tracerOf(build, spec.provider)
  if (tracer === undefined) return { sampledByRequestId: true }
  const { name, typed_config, maxTagLength, samples } = tracer
  const tracing = tracingOf({
    sampling: samples ? 100 : (spec.randomSamplingPercentage ?? proxySampling(build)),
    maxPathTagLength: maxTagLength || (build.proxyConfig.tracing?.maxPathTagLength ?? 0),
    tags: customTags(build, spec.enableIstioTags ?? true, spec.customTags),
  })
  // A gateway calls on behalf of others: its own call upstream is a span, too.
  const upstream = tracer.upstreamSpan || (build.proxy.type === 'router' && build.features.gatewayUpstreamSpan)
  return {
    tracing: {
      ...tracing,
      provider: { name, typed_config },
      ...(upstream ? { spawn_upstream_span: true } : {}),
      ...(spec.disableContextPropagation === true && versionAtLeast(build.proxy, 1, 30) ? { no_context_propagation: true } : {}),
    },
    sampledByRequestId: spec.useRequestIdForTraceSampling ?? true,
  }
}

/** Per cent; what is above 100 is a mistake, and counts as 1. */
function proxySampling(build: Build): number {
  const { sampling = 0 } = build.proxyConfig.tracing ?? {}
  if (sampling === 0) return build.features.traceSampling
  return sampling > 100 ? 1 : sampling
}

interface TracingFields {
  readonly sampling: number
  readonly maxPathTagLength: number
  readonly tags: HttpConnectionManager_Tracing['custom_tags']
}

function tracingOf({ sampling, maxPathTagLength, tags }: TracingFields): HttpConnectionManager_Tracing {
  return defined({
    client_sampling: ALL,
    overall_sampling: ALL,
    random_sampling: sampling === 0 ? {} : { value: sampling },
    max_path_tag_length: maxPathTagLength || undefined,
    custom_tags: tags?.length === 0 ? undefined : tags,
  })
}
