import type { ResourceSet } from '@heddle/xds-types'
import { expect } from 'vitest'
import { PER_TYPE_SERVICES } from '../src/grpc/index.js'
import type { SnapshotCache, XdsServer } from '../src/index.js'
import type { TestClient, TestStream } from './client.js'

/** Types by the names of the harness. */
export const TYPE_URLS = {
  CDS: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  LDS: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  RDS: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  EDS: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
} as const
export type Service = keyof typeof TYPE_URLS

/** The four ways to ask. */
export const VARIANTS = [
  'sotw non-aggregated',
  'sotw aggregated',
  'incremental non-aggregated',
  'incremental aggregated',
] as const
export type Variant = (typeof VARIANTS)[number]

/** A client and the control plane behind its server, as the harness's steps speak of them. */
export interface Actor {
  /** What the control plane has: name to version. Nothing of the type: it has none. */
  given(service: Service, resources: Readonly<Record<string, string>>): void
  /** No names: the wildcard. In SotW all names that are wanted from now on; in Delta those added. Resolves when the server has heard it. */
  subscribe(service: Service, ...names: string[]): Promise<void>
  /** Delta only. */
  unsubscribe(service: Service, ...names: string[]): Promise<void>
  /** The next response has exactly these resources (`-name`: removed), and is acknowledged. */
  receives(service: Service, ...names: string[]): Promise<void>
  /** Everything was acknowledged, and the server has sent no more than what was received. */
  isQuiet(): Promise<void>
}

interface Seen {
  readonly names: readonly string[]
  readonly version: string
  readonly nonce: string
}

interface Wire {
  ask(service: Service, add: readonly string[], remove: readonly string[]): void
  next(service: Service): Promise<Seen>
  ack(service: Service, seen: Seen): void
}

export function createActor(
  variant: Variant,
  nodeId: string,
  client: TestClient,
  server: XdsServer,
  cache: SnapshotCache,
): Actor {
  const wire = (variant.startsWith('sotw') ? sotwWire : deltaWire)(client, nodeId, variant.endsWith(' aggregated'))
  const content = new Map<Service, Readonly<Record<string, string>>>()
  let sent = 0
  let received = 0
  server.subscribe((event) => {
    if (event.kind === 'sent' && event.nodeId === nodeId) sent++
  })
  const heard = (service: Service): Promise<void> =>
    new Promise((resolve) => {
      const done = server.subscribe((event) => {
        if (event.kind !== 'subscribed' || event.nodeId !== nodeId || event.typeUrl !== TYPE_URLS[service]) return
        done()
        resolve()
      })
    })
  const ask = (service: Service, add: readonly string[], remove: readonly string[]): Promise<void> => {
    const answered = heard(service)
    wire.ask(service, add, remove)
    return answered
  }
  return {
    given(service, resources) {
      content.set(service, resources)
      cache.set(nodeId, setOf(content))
    },
    subscribe: (service, ...names) => ask(service, names, []),
    unsubscribe: (service, ...names) => ask(service, [], names),
    async receives(service, ...names) {
      const seen = await wire.next(service)
      received++
      expect([...seen.names].sort()).toEqual([...names].sort())
      expect(seen.version).not.toBe('')
      wire.ack(service, seen)
    },
    async isQuiet() {
      const { applied } = await server.applied({ nodeIds: [nodeId] })
      expect(new Set(applied)).toEqual(new Set([nodeId]))
      expect(sent).toBe(received)
    },
  }
}

function setOf(content: ReadonlyMap<Service, Readonly<Record<string, string>>>): ResourceSet {
  const resources = [...content].map(([service, versions]): [string, object[]] => [
    TYPE_URLS[service],
    Object.entries(versions).map(([name, version]) => messageOf(service, name, version)),
  ])
  return { groups: [{ id: 'harness', resources: new Map(resources) }] }
}

/** Any field will do that makes another version another message. */
function messageOf(service: Service, name: string, version: string): object {
  if (service === 'EDS') return { cluster_name: name, named_endpoints: { [version]: {} } }
  if (service === 'CDS') return { name, alt_stat_name: version }
  return service === 'LDS' ? { name, stat_prefix: version } : { name, virtual_hosts: [{ name: version, domains: ['*'] }] }
}

function pathOf(service: Service, variant: 'sotw' | 'delta'): string {
  for (const { service: name, methods } of PER_TYPE_SERVICES) {
    const method = methods.find((each) => each.typeUrl === TYPE_URLS[service] && each.variant === variant)
    if (method !== undefined) return `/${name}/${method.name}`
  }
  throw new Error(`no service for ${service}`)
}

/** One stream for all services, or one each. */
function streams<T>(
  aggregated: boolean,
  open: (path?: (service: Service) => string) => (service: Service) => T,
): (service: Service) => T {
  const made = new Map<string, T>()
  return (service) => {
    const key = aggregated ? 'ads' : service
    let stream = made.get(key)
    if (stream === undefined) made.set(key, (stream = open()(service)))
    return stream
  }
}

/** Responses of an aggregated stream come in the server's order: those of other types wait until somebody asks for them. */
function byType<R extends { type_url?: string | undefined }>(): (stream: TestStream<unknown, R>, service: Service) => Promise<R> {
  const waiting: R[] = []
  return async (stream, service) => {
    for (;;) {
      const at = waiting.findIndex((response) => response.type_url === TYPE_URLS[service])
      if (at >= 0) return waiting.splice(at, 1)[0] as R
      waiting.push(await stream.next())
    }
  }
}

function sotwWire(client: TestClient, nodeId: string, aggregated: boolean): Wire {
  const wanted = new Map<Service, readonly string[]>()
  const next = byType<Awaited<ReturnType<ReturnType<TestClient['sotw']>['next']>>>()
  const streamOf = streams(aggregated, () => (service) => client.sotw(aggregated ? undefined : pathOf(service, 'sotw')))
  const last = new Map<Service, Seen>()
  const send = (service: Service): void => {
    const seen = last.get(service)
    streamOf(service).send({
      node: { id: nodeId },
      type_url: TYPE_URLS[service],
      resource_names: [...(wanted.get(service) ?? [])],
      ...(seen === undefined ? {} : { version_info: seen.version, response_nonce: seen.nonce }),
    })
  }
  return {
    ask(service, names) {
      wanted.set(service, names)
      send(service)
    },
    async next(service) {
      const { resources = [], version_info = '', nonce = '' } = await next(streamOf(service) as never, service)
      return {
        names: resources.map((each) => nameOf(each as { name?: string; cluster_name?: string })),
        version: version_info,
        nonce,
      }
    },
    ack(service, seen) {
      last.set(service, seen)
      send(service)
    },
  }
}

function deltaWire(client: TestClient, nodeId: string, aggregated: boolean): Wire {
  const next = byType<Awaited<ReturnType<ReturnType<TestClient['delta']>['next']>>>()
  const streamOf = streams(aggregated, () => (service) => client.delta(aggregated ? undefined : pathOf(service, 'delta')))
  return {
    ask: (service, add, remove) =>
      streamOf(service).send({
        node: { id: nodeId },
        type_url: TYPE_URLS[service],
        resource_names_subscribe: [...add],
        resource_names_unsubscribe: [...remove],
      }),
    async next(service) {
      const response = await next(streamOf(service) as never, service)
      const { resources = [], removed_resources = [], system_version_info = '', nonce = '' } = response
      const names = [...resources.map((each) => each.name ?? ''), ...removed_resources.map((name) => `-${name}`)]
      return { names, version: system_version_info, nonce }
    },
    ack: (service, { nonce }) => streamOf(service).send({ type_url: TYPE_URLS[service], response_nonce: nonce }),
  }
}

function nameOf(message: { name?: string; cluster_name?: string }): string {
  return message.cluster_name ?? message.name ?? ''
}
