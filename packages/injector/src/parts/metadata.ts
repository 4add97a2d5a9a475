import type { Metadata, Named } from '../kubernetes.js'
import type { TemplateContext } from '../templates/context.js'
import { PROXY_CONTAINER } from './names.js'

/** Containers of the app, without the proxy. */
export function appContainers({ spec }: TemplateContext): string[] {
  return (spec.containers ?? []).map(({ name }) => name).filter((name) => name !== PROXY_CONTAINER)
}

/** The labels by which telemetry groups workloads into services. */
export function canonicalLabels({ metadata, owner }: TemplateContext): Record<string, string> {
  const label = (name: string): string | undefined => metadata.labels?.[name] || undefined
  return {
    'service.istio.io/canonical-name':
      label('service.istio.io/canonical-name') ?? label('app.kubernetes.io/name') ?? label('app') ?? truncateLabel(owner.name),
    'service.istio.io/canonical-revision':
      label('service.istio.io/canonical-revision') ?? label('app.kubernetes.io/version') ?? label('version') ?? 'latest',
  }
}

/** Label values hold 63 characters and do not end in a dash. */
function truncateLabel(value: string): string {
  return value.slice(0, 63).replace(/-$/, '')
}

/** Which container kubectl means when nobody says; a container that the user chose stays. */
export function defaultContainer({ metadata }: TemplateContext, name: string | undefined): Record<string, string> {
  if (name === undefined) return {}
  const names = ['kubectl.kubernetes.io/default-logs-container', 'kubectl.kubernetes.io/default-container']
  return Object.fromEntries(names.filter((key) => metadata.annotations?.[key] === undefined).map((key) => [key, name]))
}

export function revisionAnnotation({ revision }: TemplateContext): Record<string, string> {
  return { 'istio.io/rev': revision }
}

/** An annotation's JSON, a list of things with names or an object of things by name (sorted); none where it is absent. It was checked before. */
export function namedAnnotation(metadata: Metadata, name: string): Named[] {
  const text = metadata.annotations?.[name]
  if (text === undefined) return []
  const value = JSON.parse(text) as Named[] | Record<string, Record<string, unknown>>
  if (Array.isArray(value)) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => ({ name: key, ...item }))
}
