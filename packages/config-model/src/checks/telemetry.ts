import { into, refuse, type Site, warn } from '../decode/site.js'
import type { MetricsOverride, ProviderRef, Telemetry, TelemetryTracing } from '../kinds/telemetry.js'
import { CODE } from './code.js'
import { each, eachEntry } from './each.js'
import { checkTargets } from './target-ref.js'

export function validateTelemetry({ spec }: Telemetry, at: Site): void {
  checkTargets(spec, at)
  if ((spec.tracing ?? []).length > 1)
    warn(into(at, 'tracing'), CODE.noEffect, 'multiple tracing is not currently supported: only the first counts')
  each(spec.tracing, at, 'tracing', checkTracing)
  each(spec.metrics, at, 'metrics', (metrics, place) => {
    checkProviders(metrics.providers, place)
    each(metrics.overrides, place, 'overrides', checkOverride)
  })
  each(spec.accessLogging, at, 'accessLogging', (logging, place) => {
    checkProviders(logging.providers, place)
  })
}

function checkProviders(providers: readonly ProviderRef[] | undefined, at: Site): void {
  each(providers, at, 'providers', ({ name }, place) => {
    if (name === '') refuse(into(place, 'name'), CODE.required, 'providers.name may not be empty')
  })
}

function checkTracing(tracing: TelemetryTracing, at: Site): void {
  if ((tracing.providers ?? []).length > 1)
    warn(into(at, 'providers'), CODE.noEffect, 'multiple providers is not currently supported: only the first counts')
  checkProviders(tracing.providers, at)
  const sampling = tracing.randomSamplingPercentage ?? 0
  if (sampling < 0 || sampling > 100)
    refuse(into(at, 'randomSamplingPercentage'), CODE.range, 'randomSamplingPercentage must be in range [0.0, 100.0]')
  eachEntry(tracing.customTags, at, 'customTags', (name, tag, place) => {
    if (name === '') refuse(place, CODE.required, 'tag name may not be empty')
    if (tag.literal?.value === '') refuse(into(place, 'literal'), CODE.required, 'literal tag value may not be empty')
    if (tag.header?.name === '') refuse(into(place, 'header'), CODE.required, 'header tag name may not be empty')
    if (tag.environment?.name === '') refuse(into(place, 'environment'), CODE.required, 'environment tag name may not be empty')
  })
}

function checkOverride(override: MetricsOverride, at: Site): void {
  eachEntry(override.tagOverrides, at, 'tagOverrides', (name, { operation = 'UPSERT', value = '' }, place) => {
    if (name === '') warn(place, CODE.invalid, 'tagOverrides.name may not be empty')
    if (operation === 'UPSERT' && value === '')
      refuse(into(place, 'value'), CODE.required, 'tagOverrides.value must be set when operation is UPSERT')
    if (operation === 'REMOVE' && value !== '')
      refuse(into(place, 'value'), CODE.conflict, 'tagOverrides.value may only be set when operation is UPSERT')
  })
  if (override.match?.customMetric === '')
    refuse(into(into(at, 'match'), 'customMetric'), CODE.required, 'customMetric may not be empty')
  if (override.match?.customMetric !== undefined && override.match.metric !== undefined) {
    refuse(into(at, 'match'), CODE.conflict, 'only one of metric and customMetric may be set')
  }
}
