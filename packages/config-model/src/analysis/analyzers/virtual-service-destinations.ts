import type { Destination } from '../../kinds/http-route.js'
import type { VirtualServiceSpec } from '../../kinds/virtual-service.js'

/** A destination of a VirtualService, and where it stands. */
export interface PlacedDestination {
  readonly destination: Destination
  readonly path: string
  readonly mirror: boolean
}

/** All destinations of a VirtualService: TCP, TLS and HTTP routes, then mirrors. */
export function destinationsOf({ tcp = [], tls = [], http = [] }: VirtualServiceSpec): PlacedDestination[] {
  const routes = [
    ['tcp', tcp],
    ['tls', tls],
    ['http', http],
  ] as const
  const routed = routes.flatMap(([field, rules]) =>
    rules.flatMap(({ route = [] }, r) =>
      route.map(({ destination }, d) => ({ destination, path: `spec.${field}[${r}].route[${d}].destination`, mirror: false })),
    ),
  )
  const mirrored = http.flatMap(({ mirror, mirrors = [] }, r) => [
    ...(mirror === undefined ? [] : [{ destination: mirror, path: `spec.http[${r}].mirror`, mirror: true }]),
    ...mirrors.map(({ destination }, m) => ({ destination, path: `spec.http[${r}].mirrors[${m}].destination`, mirror: true })),
  ])
  return [...routed, ...mirrored]
}
