import { createFakeClock, type FakeClock } from '@heddle/runtime/testing'
import type { ResourceSet } from '@heddle/xds-types'
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'
import type { XdsEvent } from './events.js'
import { createSnapshotCache, type SnapshotCache } from './snapshot-cache.js'
import type { CloseStatus, StreamHandler } from './transport.js'
import { createXdsServer, type XdsServer, type XdsServerOptions } from './xds-server.js'

const PREFIX = 'type.googleapis.com/envoy.'
export const CDS: string = `${PREFIX}config.cluster.v3.Cluster`
export const EDS: string = `${PREFIX}config.endpoint.v3.ClusterLoadAssignment`
export const LEDS: string = `${PREFIX}config.endpoint.v3.LbEndpoint`
export const LDS: string = `${PREFIX}config.listener.v3.Listener`
export const RDS: string = `${PREFIX}config.route.v3.RouteConfiguration`
export const VHDS: string = `${PREFIX}config.route.v3.VirtualHost`

export type Variant = 'sotw' | 'delta'
export const VARIANTS: readonly Variant[] = ['sotw', 'delta']

/** A server on a fake clock, with a snapshot cache by node id. */
export interface TestServer {
  readonly server: XdsServer
  readonly clock: FakeClock
  readonly cache: SnapshotCache
  readonly events: XdsEvent[]
  /** Sets what node `n` gets, by type, and sends it. */
  give(resources: Readonly<Record<string, readonly object[]>>, version?: string): void
  open(variant: Variant, node?: object): TestStream
}

/** One stream of node `n`, or of another. */
export interface TestStream extends StreamHandler {
  /** What came, a response each: `Cluster a@1 -gone ~no-body !refused:7`, and `.. version`. Taken away by reading. */
  take(): string[]
  readonly closed: readonly CloseStatus[]
  /** Names to subscribe to; in SotW the whole list. */
  ask(typeUrl: string, names: readonly string[], more?: object): void
  /** Answers the last response of the type. */
  ack(typeUrl: string): void
  nack(typeUrl: string, message: string): void
}

export function setOf(resources: Readonly<Record<string, readonly object[]>>, version?: string, id = 'all'): ResourceSet {
  return { groups: [{ id, resources: new Map(Object.entries(resources)) }], ...(version === undefined ? {} : { version }) }
}

export function testServer(options: Partial<XdsServerOptions> = {}): TestServer {
  const clock = createFakeClock()
  const cache = createSnapshotCache()
  const events: XdsEvent[] = []
  const server = createXdsServer({ resources: (node) => cache.watch(node.id), clock, ...options })
  server.subscribe((event) => events.push(event))
  return {
    ...{ server, clock, cache, events },
    give(resources, version) {
      cache.set('n', setOf(resources, version))
      clock.advance(0)
    },
    open: (variant, node = { id: 'n' }) => openStream(server, variant, node),
  }
}

function openStream(server: XdsServer, variant: Variant, node: object): TestStream {
  const nonces = new Map<string, string>()
  const subscribed = new Map<string, readonly string[]>()
  const closed: CloseStatus[] = []
  let seen: string[] = []
  let introduced = false
  const handler = server.accept({
    variant,
    transport: {
      peer: 'test',
      write(parts) {
        const bytes = Buffer.concat(parts)
        const { typeUrl, nonce, line } = variant === 'sotw' ? readSotw(bytes) : readDelta(bytes)
        nonces.set(typeUrl, nonce)
        seen.push(line)
        return true
      },
      close: (status) => void closed.push(status),
    },
  })
  const send = (typeUrl: string, delta: object, more: object = {}): void => {
    const common = { type_url: typeUrl, ...(introduced ? {} : { node }), ...more }
    introduced = true
    const names = { resource_names: subscribed.get(typeUrl) ?? [] }
    handler.onMessage(
      variant === 'sotw'
        ? DiscoveryRequest.encode({ ...common, ...names })
        : DeltaDiscoveryRequest.encode({ ...common, ...delta }),
    )
  }
  const answer = (typeUrl: string, more: object): void => send(typeUrl, {}, { response_nonce: nonces.get(typeUrl), ...more })
  return {
    ...{ onMessage: handler.onMessage, onDrain: handler.onDrain, onEnd: handler.onEnd, closed },
    take() {
      const taken = seen
      seen = []
      return taken
    },
    ask(typeUrl, names, more) {
      subscribed.set(typeUrl, names)
      const nonce = variant === 'sotw' && nonces.has(typeUrl) ? { response_nonce: nonces.get(typeUrl) } : {}
      send(typeUrl, { resource_names_subscribe: names }, { ...nonce, ...more })
    },
    ack: (typeUrl) => answer(typeUrl, {}),
    nack: (typeUrl, message) => answer(typeUrl, { error_detail: { code: 13, message } }),
  }
}

interface Read {
  readonly typeUrl: string
  readonly nonce: string
  readonly line: string
}

function readDelta(bytes: Uint8Array): Read {
  const decoded = DeltaDiscoveryResponse.decode(bytes, knownTypes)
  if (!decoded.ok) throw new Error('not a delta response')
  const {
    type_url = '',
    nonce = '',
    resources = [],
    removed_resources = [],
    resource_errors,
    system_version_info,
  } = decoded.value
  const bodies = resources.map(
    (r) => `${r.resource === undefined ? '~' : ''}${r.name}${(r.aliases ?? []).map((a) => `=${a}`).join('')}`,
  )
  const parts = [...bodies.sort(), ...removed_resources.map((name) => `-${name}`).sort(), ...errorsOf(resource_errors)]
  return { typeUrl: type_url, nonce, line: lineOf(type_url, parts, system_version_info) }
}

function readSotw(bytes: Uint8Array): Read {
  const decoded = DiscoveryResponse.decode(bytes, knownTypes)
  if (!decoded.ok) throw new Error('not a SotW response')
  const { type_url = '', nonce = '', resources = [], resource_errors, version_info } = decoded.value
  const names = (resources as unknown as Readonly<Record<string, string>>[]).map((r) => r['name'] ?? r['cluster_name'] ?? '')
  return { typeUrl: type_url, nonce, line: lineOf(type_url, [...names.sort(), ...errorsOf(resource_errors)], version_info) }
}

function errorsOf(errors: DiscoveryResponse['resource_errors'] = []): string[] {
  return errors.map(({ resource_name, error_detail }) => `!${resource_name?.name}:${error_detail?.code} ${error_detail?.message}`)
}

/** Versions that are hashes of content are left out. */
function lineOf(typeUrl: string, parts: readonly string[], version = ''): string {
  const shown = /^[0-9a-f]{16}$/.test(version) ? [] : ['..', version]
  return [typeUrl.slice(typeUrl.lastIndexOf('.') + 1), ...parts, ...shown].join(' ')
}
