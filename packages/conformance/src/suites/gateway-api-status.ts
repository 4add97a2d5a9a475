import type { Store } from '@heddle/config-model'
import { isMap, short } from '../compare.js'
import type { Verdict } from '../suite.js'
import { refOf, type Workload } from './gateway-api-cluster.js'
import { type Json, listAt, textAt } from './mesh.js'

/** A status assertion of the Gateway API's suite on what the objects of a cluster should say. */
export type StatusCheck = (store: Store, args: readonly unknown[]) => Verdict

const ROUTES = ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute'] as const

/** By name in the suite, without `kubernetes.`. */
export const STATUS_CHECKS: Readonly<Record<string, StatusCheck>> = {
  NamespacesMustBeReady: (store, [names]) => gatewaysReady(store, Array.isArray(names) ? names.map(String) : []),
  GatewayMustHaveLatestConditions: (store, [gateway]) => latest(store, `KubernetesGateway ${nameOf(gateway)}`),
  GatewayMustHaveCondition: (store, [gateway, want]) => fit([want], conditionsOf(statusOf(store, 'KubernetesGateway', gateway))),
  GatewayStatusMustHaveListeners: (store, [gateway, want]) => listeners(store, 'KubernetesGateway', gateway, want),
  GatewayListenerMustHaveConditions: (store, [gateway, name, want]) => listener(store, 'KubernetesGateway', gateway, name, want),
  GatewayListenersMustHaveConditions: (store, [gateway, want, name]) => listener(store, 'KubernetesGateway', gateway, name, want),
  GatewayMustHaveZeroRoutes: (store, [gateway]) =>
    fit(
      0,
      Math.max(
        0,
        ...listAt(statusOf(store, 'KubernetesGateway', gateway), 'listeners').map((one) => Number(one['attachedRoutes'])),
      ),
    ),
  GatewayMustHaveAttachedListeners: (store, [gateway, want]) =>
    fit(want, statusOf(store, 'KubernetesGateway', gateway)['attachedListenerSets'] ?? 0),
  GatewayClassMustHaveLatestConditions: (store, [ref]) => latest(store, `GatewayClass /${refOf(ref).name}`),
  GWCMustHaveAcceptedConditionAny: (store, [name]) => latest(store, `GatewayClass /${String(name)}`),
  ListenerSetMustHaveCondition: (store, [set, want]) => fit([want], conditionsOf(statusOf(store, 'ListenerSet', set))),
  ListenerSetStatusMustHaveListeners: (store, [set, want]) => listeners(store, 'ListenerSet', set, want),
  ListenerSetListenersMustHaveConditions: (store, [set, want, name]) => listener(store, 'ListenerSet', set, name, want),
  BackendTLSPolicyMustHaveAcceptedConditionTrue: (store, [policy]) => {
    const ancestors = listAt(statusOf(store, 'BackendTLSPolicy', policy), 'ancestors')
    return fit([{ Type: 'Accepted', Status: 'True' }], ancestors.flatMap(conditionsOf))
  },
  ...Object.fromEntries(ROUTES.flatMap((kind) => Object.entries(routeChecks(kind)))),
}

function routeChecks(kind: (typeof ROUTES)[number]): Readonly<Record<string, StatusCheck>> {
  const of = (store: Store, route: unknown, parent?: unknown): readonly Json[] =>
    listAt(statusOf(store, kind, route), 'parents')
      .filter(({ parentRef }) => parent === undefined || textAt(parentRef, 'name') === refOf(parent).name)
      .flatMap(conditionsOf)
  return {
    [`${kind}MustHaveResolvedRefsConditionsTrue`]: (store, [route, parent]) =>
      fit([{ Type: 'ResolvedRefs', Status: 'True' }], of(store, route, parent)),
    [`${kind}MustHaveCondition`]: (store, [route, parent, want]) => fit([want], of(store, route, parent)),
    [`${kind}MustHaveNoAcceptedParents`]: (store, [route]) =>
      of(store, route).some(({ type, status }) => type === 'Accepted' && status === 'True') ? 'a parent accepts it' : undefined,
    [`${kind}MustHaveParents`]: (store, [route, want]) => {
      const parents = listAt(statusOf(store, kind, route), 'parents')
      const count = Array.isArray(want) ? want.length : 0
      return parents.length === count ? fit(want, parents) : `want ${count} parents, got ${short(parents)}`
    },
  }
}

/** Each Gateway of these namespaces is accepted and programmed; echo servers always are ready. */
function gatewaysReady(store: Store, namespaces: readonly string[]): Verdict {
  const ready = ['Accepted', 'Programmed'].map((Type) => ({ Type, Status: 'True' }))
  for (const { metadata } of store.snapshot().list('KubernetesGateway')) {
    if (!namespaces.includes(metadata.namespace)) continue
    const ref = { Name: metadata.name, Namespace: metadata.namespace }
    const found = fit(ready, conditionsOf(statusOf(store, 'KubernetesGateway', ref)))
    if (found !== undefined) return `${metadata.name}: ${found}`
  }
  return undefined
}

/** Each of these routes is accepted by whatever it names as parent; the kind is not always told. */
export function routesAccepted(store: Store, routes: readonly Workload[]): Verdict {
  for (const { namespace, name } of routes) {
    const status = ROUTES.map((kind) => store.collections.statuses.get(`${kind} ${namespace}/${name}`)?.status).find(
      (one) => one !== undefined,
    )
    const parents = listAt(status, 'parents')
    const accepted = parents.some((one) => fit([{ Type: 'Accepted', Status: 'True' }], conditionsOf(one)) === undefined)
    if (!accepted) return `no parent accepts ${namespace}/${name}: ${short(parents)}`
  }
  return undefined
}

function nameOf(value: unknown): string {
  const { namespace, name } = refOf(value)
  return `${namespace}/${name}`
}

function statusOf(store: Store, kind: string, ref: unknown): Json {
  return (store.collections.statuses.get(`${kind} ${nameOf(ref)}` as never)?.status ?? {}) as Json
}

const conditionsOf = (value: unknown): readonly Json[] => listAt(value, 'conditions')

/** There are conditions, and they speak of the generation that is. */
function latest(store: Store, key: string): Verdict {
  const conditions = conditionsOf(store.collections.statuses.get(key as never)?.status)
  if (conditions.length === 0) return `${key} has no conditions`
  const old = conditions.find((one) => one['observedGeneration'] !== 1)
  return old === undefined ? undefined : `${key}: ${short(old)} is of another generation`
}

function listeners(store: Store, kind: string, ref: unknown, want: unknown): Verdict {
  const got = listAt(statusOf(store, kind, ref), 'listeners')
  const count = Array.isArray(want) ? want.length : 0
  return got.length === count ? fit(want, got) : `want ${count} listeners, got ${got.length}`
}

function listener(store: Store, kind: string, ref: unknown, name: unknown, want: unknown): Verdict {
  const got = listAt(statusOf(store, kind, ref), 'listeners').find((one) => one['name'] === name)
  return got === undefined ? `no listener ${String(name)}` : fit(want, conditionsOf(got))
}

/** `$…` and `{}` stand for what the suite computes: they fit anything, and so does the reason ''. Of a list each must fit one. */
function fit(want: unknown, got: unknown): Verdict {
  return fits(want, got) ? undefined : `want ${short(want)}, got ${short(got)}`
}

function fits(want: unknown, got: unknown): boolean {
  if (want === undefined || want === null || want === '' || (typeof want === 'string' && want.startsWith('$'))) return true
  if (Array.isArray(want)) return Array.isArray(got) && want.every((one) => got.some((other) => fits(one, other)))
  if (!isMap(want)) return want === got
  const entries = Object.entries(want)
  return (
    entries.length === 0 ||
    (isMap(got) && entries.every(([key, value]) => fits(value, got[key.charAt(0).toLowerCase() + key.slice(1)])))
  )
}
