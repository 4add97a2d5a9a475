import type { Diagnostic, Result } from '@heddle/runtime'
import { type DecodeOptions, decodeResource } from '../decode/resource.js'
import type { DestinationRule } from '../kinds/destination-rule.js'
import type { AnyResource } from '../kinds/index.js'
import type { RouteDestination, VirtualService } from '../kinds/virtual-service.js'
import { resolveHost } from '../names/host.js'
import { keyOf } from '../resource.js'
import type { Draft } from './written.js'

/**
 * Drafts to resources, judged by Istio's rules and together: a subset must be one of the DestinationRule of its host, where that is among the drafts
 * (code config.unknown_subset), and the weights of a route must be 100 in sum (config.weight_sum). All problems of all drafts are told.
 */
export function build(drafts: readonly Draft<string, string>[], options: DecodeOptions = {}): Result<readonly AnyResource[]> {
  const results = drafts.map((draft) => decodeResource(draft, options))
  const resources = results.flatMap((result) => (result.ok && result.value.known ? [result.value.resource] : []))
  const subsets = subsetsByHost(resources.filter((one) => one.kind === 'DestinationRule'))
  const diagnostics = [
    ...results.flatMap((result) => result.diagnostics),
    ...resources.flatMap((one) => (one.kind === 'VirtualService' ? problemsOf(one, subsets) : [])),
  ]
  return diagnostics.some(({ severity }) => severity === 'error')
    ? { ok: false, diagnostics }
    : { ok: true, value: resources, diagnostics }
}

type SubsetsByHost = ReadonlyMap<string, ReadonlySet<string>>

// Only to compare hosts with hosts, so any suffix will do; those written in full have the usual one.
const DOMAIN = 'cluster.local'

function subsetsByHost(rules: readonly DestinationRule[]): SubsetsByHost {
  const found = new Map<string, Set<string>>()
  for (const { metadata, spec } of rules) {
    const host = resolveHost(spec.host, metadata.namespace, DOMAIN)
    const names = found.get(host) ?? new Set<string>()
    for (const { name } of spec.subsets ?? []) names.add(name)
    found.set(host, names)
  }
  return found
}

function problemsOf(resource: VirtualService, subsets: SubsetsByHost): readonly Diagnostic[] {
  const { http = [], tls = [], tcp = [] } = resource.spec
  const routes = Object.entries({ http, tls, tcp }).flatMap(([name, list]) =>
    list.map(({ route = [] }, i) => ({ route, path: `spec.${name}[${i}].route` })),
  )
  return routes.flatMap(({ route, path }) => [
    ...weightProblem(resource, route, path),
    ...route.flatMap((one, i) => subsetProblem(resource, one, `${path}[${i}].destination.subset`, subsets)),
  ])
}

function weightProblem(resource: VirtualService, route: readonly RouteDestination[], path: string): readonly Diagnostic[] {
  if (route.every(({ weight }) => weight === undefined)) return []
  const sum = route.reduce((total, { weight = 0 }) => total + weight, 0)
  if (sum === 100) return []
  const message = `weights are ${sum} in sum: make them 100`
  return [{ code: 'config.weight_sum', severity: 'error', subject: keyOf(resource), path, message }]
}

function subsetProblem(
  resource: VirtualService,
  { destination }: RouteDestination,
  path: string,
  subsets: SubsetsByHost,
): readonly Diagnostic[] {
  const { host, subset } = destination
  const known = subsets.get(resolveHost(host, resource.metadata.namespace, DOMAIN))
  if (subset === undefined || known === undefined || known.has(subset)) return []
  const message = `the DestinationRule of ${host} has no subset ${subset}: it has ${[...known].join(', ') || 'none'}`
  return [{ code: 'config.unknown_subset', severity: 'error', subject: keyOf(resource), path, message }]
}
