import { type Clock, createWatch, type Logger, type Result, type Watch } from '@heddle/runtime'
import type { ResourceRef, ResourceType } from '@heddle/xds-types'
import type { ScopedRouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { HttpManager } from '../config/compiled.js'
import type { DiscoveryStats } from '../observe/discovery-stats.js'
import { NO_SCOPES, type RouteScope, type RouteScopes, scopeKey } from '../route/scope.js'
import type { ReceivedUpdate, Rejection } from '../xds/protocol.js'
import type { Need } from '../xds/warming.js'
import type { Awaited } from './awaited.js'
import { createWarmedSet, type ResourceRecord, type WarmedSet } from './warmed-set.js'

type Handler = (update: ReceivedUpdate) => readonly Rejection[] | Promise<readonly Rejection[]>

export interface ScopeSetOptions {
  type: ResourceType<ScopedRouteConfiguration>
  compile(message: ScopedRouteConfiguration): Result<RouteScope>
  needs(refs: readonly ResourceRef[], scope: RouteScope): readonly Need[]
  /** `owner` refers to these from now on. */
  hold(owner: string, refs: readonly ResourceRef[]): void
  routes: Awaited
  clock: Clock
  logger: Logger
  timeoutMs: number
}

/** The scopes of SRDS, each in force when its routes are there; those on demand at once, and their routes when somebody wants them. */
export interface ScopeSet {
  readonly scopes: Watch<RouteScopes>
  readonly set: WarmedSet<object>
  /** Applies a response by `apply`, but for scopes that claim the key of another. */
  apply(update: ReceivedUpdate, apply: Handler): Promise<readonly Rejection[]>
  /** Asks for the routes of a scope on demand. Undefined: there is nothing to wait for. */
  demand(scope: RouteScope): Promise<void> | undefined
  /** Routes of an earlier life have been brought back: scopes on demand that have them go on asking for them. */
  restored(routes: string): void
  /** Whether the routes of a scope on demand have been asked for. */
  isActive(scope: RouteScope): boolean
  /** Of listeners: the first scopes have come, and are warm. */
  readonly need: Need
  records(): readonly ResourceRecord[]
}

export function createScopeSet(options: ScopeSetOptions): ScopeSet {
  const { type, hold, logger } = options
  const active = new Map<string, RouteScope>()
  const demanded = new Set<string>()
  const scopes = createWatch(NO_SCOPES)
  const waiting = new Set<() => void>()
  let [arrived, applying, changed] = [false, 0, false]

  const publish = (): void => {
    changed = true
    if (applying > 0) return
    changed = false
    scopes.set(new Map([...active.values()].map((scope) => [scope.key, scope])))
  }
  const settled = (): boolean => arrived && set.warming === 0
  const look = (): void => {
    if (!settled()) return
    for (const run of [...waiting]) run()
    waiting.clear()
  }
  const onDemand = (name: string): string => `${type.shortName} ${name} on demand`
  const isLazy = ({ name, on_demand: lazy }: ScopedRouteConfiguration): boolean => lazy === true && !demanded.has(name ?? '')
  const set = createWarmedSet<ScopedRouteConfiguration, RouteScope>({
    ...{ typeUrl: type.typeUrl, kind: type.shortName, compile: options.compile, clock: options.clock, logger },
    timeoutMs: options.timeoutMs,
    onWarming: () => look(),
    needs: (_, message, scope) => (isLazy(message) ? [] : options.needs(type.references(message), scope)),
    hold: (owner, message) => hold(owner, message === undefined || isLazy(message) ? [] : type.references(message)),
    activate(name, scope) {
      active.set(name, scope)
      publish()
      return undefined
    },
    deactivate(name) {
      active.delete(name)
      demanded.delete(name)
      hold(onDemand(name), [])
      publish()
    },
  })

  const demand = ({ name, onDemand: lazy, routes }: RouteScope): Promise<void> | undefined => {
    if (routes.kind === 'inline') return undefined
    if (lazy && !demanded.has(name)) {
      demanded.add(name)
      hold(onDemand(name), type.references({ route_configuration_name: routes.name }))
    }
    return options.routes.wait(routes.name)
  }

  return {
    scopes,
    set: set as WarmedSet<object>,
    async apply(update, apply) {
      const conflicts = conflictsOf(update, active)
      const refused = new Set(conflicts.map(({ name }) => name))
      for (const rejection of conflicts) set.refuse(rejection, update.version)
      applying++
      const pending = apply({ ...update, resources: update.resources.filter(({ name }) => !refused.has(name)) })
      applying--
      if (changed) publish()
      const rejections = await pending
      arrived = true
      look()
      return [...conflicts, ...rejections]
    },
    demand,
    restored(routes) {
      for (const scope of active.values()) if (scope.routes.kind === 'rds' && scope.routes.name === routes) void demand(scope)
    },
    isActive: ({ name, onDemand: lazy }) => !lazy || demanded.has(name),
    need: {
      what: type.shortName,
      settled,
      onSettled(run) {
        waiting.add(run)
        return () => void waiting.delete(run)
      },
    },
    records: set.records,
  }
}

/** Scopes of a response that claim a key which another scope has, or gets with it (Envoy's "scope key conflict"). */
function conflictsOf({ resources, removed }: ReceivedUpdate, active: ReadonlyMap<string, RouteScope>): Rejection[] {
  const gone = new Set([...removed, ...resources.map(({ name }) => name)])
  const owners = new Map([...active.values()].filter(({ name }) => !gone.has(name)).map(({ name, key }) => [key, name]))
  const conflicts: Rejection[] = []
  for (const { name, message } of resources) {
    if (!message.ok) continue
    const { key } = message.value as ScopedRouteConfiguration
    const text = scopeKey((key?.fragments ?? []).map(({ string_key = '' }) => string_key))
    const owner = owners.get(text)
    if (owner === undefined) owners.set(text, name)
    else if (owner !== name) conflicts.push({ name, message: `key: the scope ${owner} has this key, too [srds.key_conflict]` })
  }
  return conflicts
}

/** Counts the scopes of SRDS for every manager that uses them. */
export function tellScopes(
  managers: readonly HttpManager[],
  { scopes, isActive }: Pick<ScopeSet, 'scopes' | 'isActive'>,
  stats: DiscoveryStats,
  reloaded: number,
): void {
  const all = [...scopes.current.values()]
  for (const { statPrefix, routes } of managers) {
    if (routes.kind !== 'scoped' || routes.scopes !== undefined) continue
    const { configReload, allScopes, activeScopes, onDemandScopes } = stats.scopes(statPrefix, routes.name)
    configReload.inc(reloaded)
    allScopes.set(all.length)
    activeScopes.set(all.filter((scope) => scope.routes.kind === 'rds' && isActive(scope)).length)
    onDemandScopes.set(all.filter(({ onDemand }) => onDemand).length)
  }
}
