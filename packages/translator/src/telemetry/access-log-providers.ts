import type { Build } from '../build.js'
import type { ListenerClass } from '../proxy-headers.js'
import { isForListener, telemetryOf } from './telemetry-of.js'

/** A provider that logs, and which requests: a CEL expression. */
export interface ChosenLog {
  readonly name: string
  readonly expression: string | undefined
}

/**
 * Who logs for a listener, by name; undefined when neither Telemetry nor MeshConfig.defaultProviders.accessLogging says anything.
 * The narrowest Telemetry that names providers chooses them; one that names none speaks of those it inherits.
 */
export function accessLogProviders(build: Build, listener: ListenerClass): readonly ChosenLog[] | undefined {
  const defaults = build.mesh.defaultProviders?.accessLogging ?? []
  const resources = telemetryOf(build).filter(({ spec }) => (spec.accessLogging ?? []).length > 0)
  if (resources.length === 0 && defaults.length === 0) return undefined
  let inScope: readonly string[] = defaults
  const settings = new Map<string, { expression: string | undefined; disabled: boolean }>()
  for (const { spec } of resources) {
    const named = new Set<string>()
    for (const { match, providers = [], filter, disabled = false } of spec.accessLogging ?? []) {
      if (!isForListener(match, listener)) continue
      const names = providers.length === 0 ? inScope : providers.map((p) => p.name)
      for (const name of names) {
        named.add(name)
        settings.set(name, { expression: filter?.expression, disabled })
      }
    }
    if (named.size > 0) inScope = [...named]
  }
  return [...inScope].sort().flatMap((name) => {
    const { expression, disabled = false } = settings.get(name) ?? { expression: undefined }
    return disabled ? [] : [{ name, expression }]
  })
}
