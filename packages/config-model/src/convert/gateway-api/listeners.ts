import type { Read } from '@heddle/runtime'
import type { Server } from '../../kinds/gateway.js'
import type { GatewayTLS } from '../../kinds/gateway-api/gateway.js'
import type { Listener, RouteGroupKind } from '../../kinds/gateway-api/listener.js'
import { GATEWAY_API_GROUP } from '../../kinds/gateway-api/references.js'
import { type Condition, type Problem, type Verdict, withVerdicts } from '../status.js'
import type { Referrer } from './certificates.js'
import { type ControllerInfo, EAST_WEST_CONTROLLER, MESH_CONTROLLER } from './classes.js'
import type { Inputs } from './inputs.js'
import { frontendFor, listenerTls } from './listener-tls.js'
import { allowedNamespaces } from './namespaces.js'

/** A listener's entry in the status of its Gateway or ListenerSet. */
export interface ListenerStatus {
  readonly name: string
  readonly supportedKinds: readonly RouteGroupKind[]
  readonly attachedRoutes: number
  readonly conditions: readonly Condition[]
}

/** Something that routes can attach to. */
export interface Parent {
  /** `mesh`, or `namespace/name` of the Istio Gateway that the listener became. */
  readonly internalName: string
  readonly allowedKinds: readonly RouteGroupKind[]
  /** `namespace/host`, as Istio's Gateway has them; none for the mesh. */
  readonly hosts: readonly string[]
  /** As written. */
  readonly hostname: string
  readonly sectionName: string
  readonly port: number
  readonly protocol: string
}

export interface BuiltListener {
  readonly server: Server
  readonly status: ListenerStatus
  /** It serves: a listener that does not becomes no Istio Gateway. */
  readonly programmed: boolean
  readonly accepted: boolean
}

export interface ListenerOwner extends Referrer {
  readonly labels: Readonly<Record<string, string>>
  readonly generation: number | undefined
  readonly tls: GatewayTLS | undefined
  readonly info: ControllerInfo
}

/** A listener as a server of Istio's Gateway, with its status. */
export function buildListener(
  listener: Listener & { port: number },
  owner: ListenerOwner,
  existing: readonly Condition[],
  inputs: Inputs,
  read: Read,
): BuiltListener {
  const { port } = listener
  const { tls, problem: badTls } = listenerTls(listener, frontendFor(owner.tls, port), owner.labels, owner, inputs, read)
  const unsupported = unsupportedListener(listener, owner.info.controller)
  const badCa = badTls?.reason.startsWith('InvalidCACertificate') ? badTls : undefined
  const notAccepted: Problem | undefined =
    unsupported ?? (badCa === undefined ? undefined : { reason: 'NoValidCACertificate', message: badCa.message })
  const verdicts: Record<string, Verdict> = {
    Accepted: { reason: 'Accepted', message: OK, problem: notAccepted },
    Conflicted: { reason: 'NoConflicts', message: OK, status: 'False' },
    Programmed: {
      reason: 'Programmed',
      message: OK,
      problem: badTls === undefined ? undefined : { reason: 'Invalid', message: 'Bad TLS configuration' },
    },
    ResolvedRefs: { reason: 'ResolvedRefs', message: OK, problem: badTls },
  }
  const { kinds, valid } = supportedKinds(listener)
  if (!valid) verdicts['ResolvedRefs'] = { reason: 'InvalidRouteKinds', message: 'Invalid route kinds', status: 'False' }
  const hosts = hostsOf(listener, owner, inputs, read)
  return {
    server: {
      port: { number: port, protocol: listener.protocol, name: 'default' },
      hosts,
      ...(tls === undefined ? {} : { tls }),
    },
    status: statusOfListener(listener, kinds, withVerdicts(existing, verdicts, owner.generation)),
    programmed: badTls === undefined && unsupported === undefined,
    accepted: notAccepted === undefined,
  }
}

const OK = 'No errors found'

export function statusOfListener(
  { name }: Listener,
  kinds: readonly RouteGroupKind[],
  conditions: readonly Condition[],
): ListenerStatus {
  return { name, attachedRoutes: 0, supportedKinds: kinds, conditions }
}

/** `namespace/host` for each namespace whose routes may attach; `~/host` where there is none: nothing must match then. */
function hostsOf(
  { hostname = '*', allowedRoutes }: Listener,
  { namespace }: Referrer,
  inputs: Inputs,
  read: Read,
): readonly string[] {
  const host = hostname === '' ? '*' : hostname
  const hosts = allowedNamespaces(allowedRoutes?.namespaces, namespace, inputs, read).map((one) => `${one}/${host}`)
  return hosts.length === 0 ? [`~/${host}`] : hosts
}

const PROTOCOLS = ['HTTP', 'HTTPS', 'TLS', 'TCP', 'HBONE']
/** Where waypoints and east-west gateways take mTLS tunnels. */
export const HBONE_PORT = 15_008

function unsupportedListener(listener: Listener & { port: number }, controller: string): Problem | undefined {
  const { protocol, port, tls } = listener
  const tunnel = port === HBONE_PORT && protocol === 'HBONE'
  if (controller === MESH_CONTROLLER && !tunnel)
    return unsupported('Expected a single listener on port 15008 with protocol "HBONE"')
  if (controller === EAST_WEST_CONTROLLER) {
    if ((tunnel && tls?.mode === 'Terminate') || (protocol === 'TLS' && tls?.mode === 'Passthrough')) return undefined
    return unsupported(
      'East-west gateway listeners must be either port 15008 with protocol "HBONE" and TLS.Mode == Terminate, or TLS with TLS.Mode == Passthrough',
    )
  }
  if (protocol === 'HBONE' && controller !== MESH_CONTROLLER)
    return unsupported('protocol "HBONE" is only supported for waypoint proxies')
  if (PROTOCOLS.includes(protocol)) return undefined
  const upper = protocol.toUpperCase()
  const hint = PROTOCOLS.includes(upper) ? `. hint: "${upper}" (uppercase) may be supported` : ''
  return unsupported(`protocol "${protocol}" is unsupported${hint}`)
}

function unsupported(message: string): Problem {
  return { reason: 'UnsupportedProtocol', message }
}

const routeKind = (kind: string): RouteGroupKind => ({ group: GATEWAY_API_GROUP, kind })

/** Kinds of routes that a listener can take, and whether those that it names are all among them. */
export function supportedKinds({ protocol, tls, allowedRoutes }: Listener): { kinds: readonly RouteGroupKind[]; valid: boolean } {
  const supported = kindsOfProtocol(protocol, tls?.mode).map(routeKind)
  const asked = allowedRoutes?.kinds ?? []
  if (asked.length === 0) return { kinds: supported, valid: true }
  const kinds = supported.filter(({ kind, group }) =>
    asked.some((one) => one.kind === kind && (one.group ?? GATEWAY_API_GROUP) === group),
  )
  return { kinds, valid: kinds.length === asked.length }
}

function kindsOfProtocol(protocol: string, mode: 'Terminate' | 'Passthrough' | undefined): readonly string[] {
  if (protocol === 'HTTP' || protocol === 'HTTPS') return ['HTTPRoute', 'GRPCRoute']
  if (protocol === 'TCP') return ['TCPRoute']
  if (protocol === 'TLS') return mode === 'Terminate' ? ['TLSRoute', 'TCPRoute'] : ['TLSRoute']
  return []
}
