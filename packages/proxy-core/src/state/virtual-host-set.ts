import type { Clock, Diagnostic, Logger, Result } from '@heddle/runtime'
import type { ResourceRef } from '@heddle/xds-types'
import type { RouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { RouteTable } from '../route/table.js'
import { rejectionOf } from '../xds/nack.js'
import type { ReceivedResource, ReceivedUpdate, Rejection } from '../xds/protocol.js'
import { createAwaited } from './awaited.js'
import { createDemands } from './demands.js'
import { createNamedValues, type NamedValues } from './named-values.js'
import type { ResourceRecord } from './warmed-set.js'

export interface VirtualHostSetOptions {
  typeUrl: string
  compile(message: RouteConfiguration): Result<RouteTable>
  /** Where whole tables go. */
  routes: NamedValues<RouteTable>
  /** Asks for the type without names: the server may send what it likes. */
  begin(): void
  /** `owner` refers to these from now on. */
  hold(owner: string, refs: readonly ResourceRef[]): void
  clock: Clock
  logger: Logger
  /** initial_fetch_timeout: the longest wait of a table for the first hosts, and of a request for its own; 0: for ever. */
  timeoutMs: number
}

/** Virtual hosts of VHDS, known as `<route configuration>/<host>`, and the tables that they are part of. */
export interface VirtualHostSet {
  /** A table of RDS with the hosts that there are. */
  compileTable(message: RouteConfiguration): Result<RouteTable>
  /** Puts a table of RDS into force: the first of its name when the server has said what it sends unasked. */
  setTable(name: string, table: RouteTable): void
  forgetTable(name: string): void
  apply(update: ReceivedUpdate): readonly Rejection[]
  /** Asks for the host of a table. Undefined: it is there, or the server has said that there is none. */
  demand(table: string, host: string): Promise<void> | undefined
  /** Configuration of an earlier life is in force: no server is waited for. */
  restored(): void
  records(): readonly ResourceRecord[]
}

export function createVirtualHostSet(options: VirtualHostSetOptions): VirtualHostSet {
  const { typeUrl, routes, hold, clock, logger, timeoutMs } = options
  const tables = new Map<string, RouteConfiguration>()
  const records = new Map<string, ResourceRecord>()
  const aliases = new Map<string, readonly string[]>()
  const demands = createDemands({ typeUrl, hold, clock, timeoutMs })
  const first = createNamedValues<true>()
  const firstAnswer = createAwaited(first, clock, timeoutMs)

  const hostsOf = (table: string): ResourceRecord[] => [...records.values()].filter(({ name }) => tableOf(name) === table)
  const compileWith = (message: RouteConfiguration, hosts: readonly ResourceRecord[]): Result<RouteTable> => {
    const own = message.virtual_hosts ?? []
    const brought = hosts.map((host) => host.message as VirtualHost).filter(({ domains }) => domains !== undefined)
    return options.compile({ ...message, virtual_hosts: [...own, ...brought] })
  }
  const rebuild = (table: string): Result<RouteTable> | undefined => {
    const message = tables.get(table)
    const compiled = message && compileWith(message, hostsOf(table))
    if (compiled?.ok === true) routes.set(table, compiled.value)
    return compiled
  }
  const remove = (name: string): void => {
    for (const each of [name, ...(aliases.get(name) ?? [])]) demands.missing(each)
    records.delete(name)
    aliases.delete(name)
  }
  /** Takes a host in, unless its table cannot be with it. */
  const take = (resource: ReceivedResource): Rejection | undefined => {
    const { name, version, message } = resource
    const before = records.get(name)
    const now = clock.now()
    const refuse = (rejection: Rejection): Rejection => {
      const error = { message: rejection.message, version, at: now }
      const shown = before ?? { typeUrl, name, state: 'active', version: '', message: {}, updatedAt: now }
      records.set(name, { ...shown, error })
      return rejection
    }
    if (!message.ok) return refuse(rejectionOf(name, message.diagnostics))
    records.set(name, { typeUrl, name, state: 'active', version, message: message.value, updatedAt: now })
    const built = rebuild(tableOf(name))
    if (built !== undefined && !built.ok) return refuse(rejectionOf(name, built.diagnostics.map(withoutIndex)))
    aliases.set(name, resource.aliases ?? [])
    return undefined
  }

  return {
    compileTable(message) {
      if (message.vhds === undefined) {
        const compiled = options.compile(message)
        if (compiled.ok) tables.delete(message.name ?? '')
        return compiled
      }
      const compiled = compileWith(message, hostsOf(message.name ?? ''))
      if (compiled.ok) tables.set(message.name ?? '', message)
      return compiled
    },
    setTable(name, table) {
      if (tables.has(name)) options.begin()
      const wait = tables.has(name) && routes.get(name) === undefined ? firstAnswer.wait('') : undefined
      if (wait === undefined) routes.set(name, table)
      else void wait.then(() => rebuild(name))
    },
    forgetTable(name) {
      tables.delete(name)
      for (const host of [...records.keys()]) if (tableOf(host) === name) remove(host)
    },
    apply({ nonce, resources, removed, absent: unknown = [] }) {
      const touched = new Set(removed.filter((name) => records.has(name)).map(tableOf))
      for (const name of removed) remove(name)
      for (const table of touched) rebuild(table)
      const rejections: Rejection[] = []
      for (const resource of resources) {
        const rejection = take(resource)
        if (rejection !== undefined) rejections.push(rejection)
        for (const name of [resource.name, ...(resource.aliases ?? [])]) {
          // What was kept from an earlier life is asked for again.
          if (nonce === '') demands.keep(name)
          demands.found(name)
        }
      }
      for (const name of unknown) demands.missing(name)
      first.set('', true)
      if (rejections.length > 0) logger.warn({ rejections }, 'virtual hosts were refused')
      return rejections
    },
    demand: (table, host) => demands.ask(`${table}/${host}`),
    restored: () => first.set('', true),
    records: () => [...records.values()],
  }
}

/** The place of a host in its table says nothing to who sent it. */
function withoutIndex(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, path: diagnostic.path.replace(/^virtual_hosts(\[\d+\]\.?)?/, '') }
}

/** The route configuration of a host. */
function tableOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}
