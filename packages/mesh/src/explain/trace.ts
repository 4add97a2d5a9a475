import type { OriginIndex, ResourceKey } from '@heddle/config-model'
import type { ExplainedResource, ExplainedStage } from '@heddle/proxy-core'
import type { Origin } from '@heddle/runtime'
import type { Provenance, Translation } from '@heddle/translator'
import { PROXY_CONFIG, type Workload } from '../workloads.js'

/** Where something was written by a person. */
export interface TracedSource {
  /** `VirtualService nolen/apps-svc-all-vs`. */
  readonly object: string
  /** `spec.http[0].match[0]`; '' is the whole object. */
  readonly path: string
  readonly origin?: Origin
}

/** A stage of a proxy's decision path, with the lines of YAML behind it. */
export interface TracedStage extends Omit<ExplainedStage, 'losers'> {
  readonly source?: TracedSource
  /** The line of `source`, where the stage has one. */
  readonly origin?: Origin
  readonly losers: readonly TracedLoser[]
}

export interface TracedLoser {
  readonly name: string
  readonly reason: string
  readonly source?: TracedSource
  readonly origin?: Origin
}

/** Adds the objects and lines behind each stage. */
export function traceStages(
  stages: readonly ExplainedStage[],
  { provenance, resources }: Translation,
  origins: OriginIndex,
  workload: Workload,
): TracedStage[] {
  const sourceOf = (resource: ExplainedResource | undefined): TracedSource | undefined => {
    if (resource === undefined) return undefined
    const [first] = provenance.of(resource.typeUrl, resource.name, resource.path)
    return first === undefined ? undefined : locate(first, origins)
  }
  const traced = <T extends object>(
    what: T,
    source: TracedSource | undefined,
  ): T & { source?: TracedSource; origin?: Origin } => ({
    ...what,
    ...(source === undefined ? {} : { source, ...(source.origin === undefined ? {} : { origin: source.origin }) }),
  })
  return stages.map((stage) => {
    const resource = stage.stage === 'endpoint' ? endpointResource(stage, resources) : stage.resource
    const losers = stage.losers.map(({ name, reason, resource: lost }) => traced({ name, reason }, sourceOf(lost)))
    return traced(
      { ...stage, losers },
      sourceOf(resource) ?? (stage.stage === 'listener' ? proxyPortOf(workload, origins) : undefined),
    )
  })
}

/** No object asks for the HTTP proxy listener: the node does, and its metadata comes from the workload's annotation. */
function proxyPortOf({ source, annotations }: Workload, origins: OriginIndex): TracedSource | undefined {
  if (annotations[PROXY_CONFIG] === undefined) return undefined
  const path = `metadata.annotations["${PROXY_CONFIG}"]`
  const origin = origins.locate(source, path)
  return { object: source, path, ...(origin === undefined ? {} : { origin }) }
}

/** Where an object, or a part of it, was written. */
export function locate({ kind, namespace, name, path }: Provenance, origins: OriginIndex): TracedSource {
  const object = `${kind} ${namespace}/${name}` as ResourceKey
  const origin = origins.locate(object, path)
  return { object, path, ...(origin === undefined ? {} : { origin }) }
}

interface LbEndpoint {
  endpoint?: { address?: { socket_address?: { address?: string; port_value?: number } } }
}

/** The endpoint inside its load assignment: the proxy knows it by address only. */
function endpointResource(
  { name, resource }: ExplainedStage,
  { groups }: Translation['resources'],
): ExplainedResource | undefined {
  if (resource === undefined) return undefined
  const assignments = groups.flatMap((group) => group.resources.get(resource.typeUrl) ?? []) as {
    cluster_name?: string
    endpoints?: { lb_endpoints?: LbEndpoint[] }[]
  }[]
  const assignment = assignments.find(({ cluster_name }) => cluster_name === resource.name)
  for (const [i, { lb_endpoints = [] }] of (assignment?.endpoints ?? []).entries()) {
    for (const [j, { endpoint }] of lb_endpoints.entries()) {
      const { address, port_value } = endpoint?.address?.socket_address ?? {}
      if (`${address}:${port_value}` === name) return { ...resource, path: `endpoints[${i}].lb_endpoints[${j}]` }
    }
  }
  return resource
}
