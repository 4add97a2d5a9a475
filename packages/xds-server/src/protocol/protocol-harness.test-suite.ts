import type { ResourceSet, VersionedResource } from '@heddle/xds-types'
import { createViews } from '../resource-view.js'
import { createDeltaProtocol } from './delta.js'
import { createSotwProtocol } from './sotw.js'
import type { DeltaRequest, Effect, Response, SotwRequest, StreamProtocol, TypeRule } from './stream-protocol.js'

/** Types by the names that people use. `rtds` stands for a type that is neither full-state nor ordered with traffic. */
export const TYPES = {
  cds: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  eds: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  lds: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  rds: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  sds: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
} as const
export type ShortType = keyof typeof TYPES
export const SHORT_TYPES = Object.keys(TYPES) as ShortType[]
const shortOf = (typeUrl: string): string => SHORT_TYPES.find((short) => TYPES[short] === typeUrl) ?? typeUrl

/** By type, name to version; `1>eds:x` is version 1 with a reference to load assignment x. */
export type Content = Partial<Record<ShortType, Record<string, string>>>
export type Variant = 'sotw' | 'delta'

const view = createViews(() => {
  throw new Error('everything here is encoded')
})

export function contentSet(content: Content): ResourceSet {
  const resources = new Map(
    SHORT_TYPES.map((type): [string, VersionedResource[]] => [
      TYPES[type],
      Object.entries(content[type] ?? {}).map(([name, version]) => ({ name, version, bytes: new TextEncoder().encode(version) })),
    ]),
  )
  return { groups: [{ id: 'test', resources }] }
}

export function ruleOf(typeUrl: string): TypeRule {
  const full = typeUrl === TYPES.cds || typeUrl === TYPES.lds
  return {
    typeUrl,
    shortName: shortOf(typeUrl),
    fullStateInSotw: full,
    wildcardWhenEmpty: full,
    onDemand: false,
    references({ version }) {
      const [type, name] = (version.split('>')[1] ?? '').split(':')
      return name === undefined ? [] : [{ typeUrl: TYPES[type as ShortType], name }]
    },
  }
}

/** A client that does what the protocol asks of it, with the answers in the hands of the test. */
export interface ModelClient {
  /** Adds names to what is asked for; `*` is the wildcard. No names: the empty first request. */
  subscribe(type: ShortType, ...names: string[]): void
  unsubscribe(type: ShortType, ...names: string[]): void
  set(content: Content): void
  ack(type: ShortType): void
  nack(type: ShortType, message?: string): void
  /** The server gives up waiting for the answer to the last response of the type. */
  timeout(type: ShortType): void
  /** What is gone of the type, and still asked for by name, is told. */
  graceOver(type: ShortType): void
  /** A new stream, on which the client asks for what it had asked for. */
  reconnect(): void
  /** The same, to a server that has other content. */
  restart(content: Content): void
  /** What was sent since the last call: `cds a@1 b@1 -c`. */
  take(): string[]
  /** Other effects since the last call. */
  takeEvents(): Effect[]
  /** What the client has. */
  known(type: ShortType): Record<string, string>
  /** What the server believes that the client has. */
  believed(type: ShortType): Record<string, string>
  asks(type: ShortType): { wildcard: boolean; names: ReadonlySet<string> }
  /** Responses that the client has not answered. */
  unanswered(): ShortType[]
  ackAll(): void
}

interface Wish {
  wildcard: boolean
  explicit: boolean
  names: Set<string>
  last: Response | undefined
  accepted: string
  open: Response[]
  known: Map<string, string>
}

export interface ModelOptions {
  readonly allow?: (typeUrl: string, name: string) => boolean
  readonly removalGrace?: boolean
}

export function createModelClient(variant: Variant, given: ModelOptions = {}): ModelClient {
  const wishes = new Map<ShortType, Wish>()
  let streams = 0
  let content: Content | undefined
  let sends: string[] = []
  let events: Effect[] = []
  let sotw: StreamProtocol<SotwRequest>
  let delta: StreamProtocol<DeltaRequest>

  const open = (): void => {
    const options = { ruleOf, streamId: `s${++streams}`, ...given }
    sotw = createSotwProtocol(options)
    delta = createDeltaProtocol(options)
    if (content !== undefined) machine().onSnapshot(view(contentSet(content)))
  }
  const machine = (): StreamProtocol<never> => (variant === 'sotw' ? sotw : delta)
  const take = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.kind !== 'send') {
        events.push(effect)
        continue
      }
      const { response } = effect
      const type = shortOf(response.typeUrl) as ShortType
      const wish = wishes.get(type)
      if (wish === undefined) throw new Error(`${type} was sent unasked`)
      if (wish.open.some((other) => other.nonce === response.nonce)) throw new Error('a nonce came twice')
      const names = response.resources.map((resource) => resource.name)
      if (new Set([...names, ...response.removed]).size !== names.length + response.removed.length)
        throw new Error('a name stands twice')
      wish.last = response
      wish.open.push(response)
      const parts = [
        ...response.resources.map((r) => `${r.name}@${r.version.split('>')[0]}`),
        ...response.removed.map((name) => `-${name}`),
      ]
      sends.push([type, ...parts.sort(byName)].join(' '))
    }
  }
  const request = (
    type: ShortType,
    names: { add?: string[]; remove?: string[]; first?: boolean; nonce?: string; error?: string },
  ): void => {
    const wish = wishes.get(type)!
    const error = names.error === undefined ? {} : { errorDetail: { code: 13, message: names.error } }
    if (variant === 'sotw') {
      const list = [...(wish.wildcard && wish.explicit ? ['*'] : []), ...wish.names]
      // An empty list would still be the legacy wildcard, if nothing else was ever listed.
      if (list.length === 0 && !wish.wildcard && ruleOf(TYPES[type]).wildcardWhenEmpty) list.push('')
      const nonce = names.nonce ?? wish.last?.nonce ?? ''
      take(
        sotw.onRequest({ typeUrl: TYPES[type], versionInfo: wish.accepted, responseNonce: nonce, resourceNames: list, ...error }),
      )
      return
    }
    take(
      delta.onRequest({
        typeUrl: TYPES[type],
        responseNonce: names.nonce ?? '',
        subscribe: names.add ?? [],
        unsubscribe: names.remove ?? [],
        initialResourceVersions: new Map(names.first ? wish.known : []),
        ...error,
      }),
    )
  }
  const answer = (type: ShortType, error?: string): void => {
    const wish = wishes.get(type)
    const response = wish?.open.shift()
    if (wish === undefined || response === undefined) throw new Error(`nothing of ${type} to answer`)
    const full = variant === 'sotw' && ruleOf(response.typeUrl).fullStateInSotw
    if (error === undefined) {
      wish.accepted = response.version
      accept(wish, response, full)
    } else refuse(wish, response, full)
    request(type, { nonce: response.nonce, ...(error === undefined ? {} : { error }) })
  }

  open()
  const client: ModelClient = {
    subscribe(type, ...names) {
      const first = !wishes.has(type)
      const wish = wishes.get(type) ?? newWish()
      wishes.set(type, wish)
      if (names.includes('*') || (first && names.length === 0))
        wish.wildcard = names.length > 0 || ruleOf(TYPES[type]).wildcardWhenEmpty
      wish.explicit ||= names.length > 0
      for (const name of names) if (name !== '*') wish.names.add(name)
      request(type, { add: names, first })
    },
    unsubscribe(type, ...names) {
      const wish = wishes.get(type)!
      if (names.includes('*')) wish.wildcard = false
      for (const name of names) wish.names.delete(name)
      for (const name of [...wish.known.keys()]) if (!wish.wildcard && !wish.names.has(name)) wish.known.delete(name)
      request(type, { remove: names })
    },
    set(next) {
      content = next
      take(machine().onSnapshot(view(contentSet(next))))
    },
    ack: (type) => answer(type),
    nack: (type, message = 'refused') => answer(type, message),
    timeout(type) {
      const nonce = wishes.get(type)?.last?.nonce
      if (nonce !== undefined) take(machine().onAckTimeout(TYPES[type], nonce))
    },
    graceOver: (type) => take(machine().onGraceOver(TYPES[type])),
    restart(next) {
      content = next
      client.reconnect()
    },
    reconnect() {
      open()
      for (const [type, wish] of [...wishes]) {
        // An empty first request would ask for everything.
        if (!wish.wildcard && wish.names.size === 0) {
          wishes.delete(type)
          continue
        }
        wish.last = undefined
        wish.open = []
        request(type, { add: [...(wish.wildcard && wish.explicit ? ['*'] : []), ...wish.names], first: true })
      }
    },
    take() {
      const taken = sends
      sends = []
      return taken
    },
    takeEvents() {
      const taken = events
      events = []
      return taken
    },
    known: (type) => Object.fromEntries([...(wishes.get(type)?.known ?? [])].sort(([a], [b]) => byName(a, b))),
    believed: (type) => {
      const resources = machine().sent().get(TYPES[type]) ?? []
      return Object.fromEntries(resources.map(({ name, version }) => [name, version]))
    },
    asks: (type) => wishes.get(type) ?? newWish(),
    unanswered: () => SHORT_TYPES.filter((type) => (wishes.get(type)?.open.length ?? 0) > 0),
    ackAll() {
      for (let round = 0; client.unanswered().length > 0; round++) {
        if (round > 100) throw new Error('the server never stops answering ACKs')
        for (const type of client.unanswered()) client.ack(type)
      }
    },
  }
  return client
}

function newWish(): Wish {
  return { wildcard: false, explicit: false, names: new Set(), last: undefined, accepted: '', open: [], known: new Map() }
}

function accept(wish: Wish, response: Response, full: boolean): void {
  if (full) wish.known.clear()
  for (const { name, version } of response.resources) if (wish.wildcard || wish.names.has(name)) wish.known.set(name, version)
  for (const name of response.removed) wish.known.delete(name)
}

/** As Envoy: what is new is refused, what is gone is gone. */
function refuse(wish: Wish, response: Response, full: boolean): void {
  const listed = new Set(response.resources.map((resource) => resource.name))
  if (full) for (const name of [...wish.known.keys()]) if (!listed.has(name)) wish.known.delete(name)
  for (const name of response.removed) wish.known.delete(name)
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
