import type { Collection, Read } from '@heddle/runtime'
import type { ParentReference } from '../../kinds/gateway-api/references.js'
import { GATEWAY_API_GROUP } from '../../kinds/gateway-api/references.js'
import { hostSubsetOf, hostsOverlap } from '../../names/host.js'
import type { ObjectMeta } from '../../resource.js'
import { compareText } from '../../sorted-list.js'
import type { Problem } from '../status.js'
import type { ConvertedGateways } from './gateways.js'
import type { Inputs } from './inputs.js'
import type { Parent } from './listeners.js'
import { GATEWAY, type GroupKind, groupKindOf, LISTENER_SET, SERVICE, SERVICE_ENTRY } from './references.js'

/** What every kind of route has. */
export interface AnyRoute {
  readonly kind: 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute'
  readonly metadata: ObjectMeta
  readonly spec: { readonly parentRefs?: readonly ParentReference[]; readonly hostnames?: readonly string[] }
  readonly status?: unknown
}

/** A route and one listener, or the mesh, that its parentRefs may mean. */
export interface Attachment {
  readonly ref: ParentReference
  readonly kind: GroupKind
  /** `namespace/name` of the Gateway, ListenerSet, Service or ServiceEntry. */
  readonly key: string
  readonly parent: Parent
  /** Hosts of other listeners of the same port and protocol: requests for them are theirs. */
  readonly otherHosts: readonly string[]
  /** Why the route does not attach. */
  readonly denied?: Problem
}

const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute'].map((kind) => ({ group: GATEWAY_API_GROUP, kind }))

/** All proxies of the mesh: the parent of routes for Services. */
const MESH: Parent = {
  internalName: 'mesh',
  allowedKinds: ROUTE_KINDS,
  hosts: [],
  hostname: '',
  sectionName: '',
  port: 0,
  protocol: '',
}

export function isMesh({ parent }: Attachment): boolean {
  return parent === MESH
}

/** Every listener that a route's parentRefs lead to, in a stable order, whether the route may attach or not. */
export function attachmentsOf(route: AnyRoute, parents: ConvertedGateways, inputs: Inputs, read: Read): readonly Attachment[] {
  const { namespace } = route.metadata
  const attachments = (route.spec.parentRefs ?? []).flatMap((ref) => {
    const kind = groupKindOf(ref, GATEWAY)
    const key = `${ref.namespace ?? namespace}/${ref.name}`
    const listeners = parentsAt(kind, key, parents, read)
    return listeners.map((parent): Attachment => {
      const denied = denialOf(route, ref, kind, key, parent, inputs, read)
      return { ref, kind, key, parent, otherHosts: otherHosts(parent, listeners), ...(denied === undefined ? {} : { denied }) }
    })
  })
  return attachments
    .map((one) => [refText(one.ref, namespace), one] as const)
    .sort(([a], [b]) => compareText(a, b))
    .map(([, one]) => one)
}

/** The attachments that hold, by the name of what they attach to. */
export function attachedTo(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments
    .filter(({ denied }) => denied === undefined)
    .sort((a, b) => compareText(a.parent.internalName, b.parent.internalName))
}

function parentsAt(kind: GroupKind, key: string, { gateways, listenerSets }: ConvertedGateways, read: Read): readonly Parent[] {
  const listed = (found: Collection<{ readonly parents: readonly Parent[] }>) => read.get(found, key)?.parents ?? []
  if (kind === GATEWAY) return listed(gateways)
  if (kind === LISTENER_SET) return listed(listenerSets)
  // References to other kinds may be for other controllers.
  return kind === SERVICE || kind === SERVICE_ENTRY ? [MESH] : []
}

function otherHosts(parent: Parent, all: readonly Parent[]): readonly string[] {
  return all
    .filter((one) => one !== parent && one.port === parent.port && one.protocol === parent.protocol)
    .map(({ hostname }) => hostname)
    .filter((host) => host !== parent.hostname)
}

/** A reference as one text, with what it leaves out. */
export function refText(ref: ParentReference, namespace: string): string {
  const { name, sectionName = '', port = 0 } = ref
  return `${groupKindOf(ref, GATEWAY)}/${name}/${sectionName}/${port}.${ref.namespace ?? namespace}`
}

const NO_PARENT = 'NoMatchingParent'
const NOT_ALLOWED = 'NotAllowedByListeners'

function denialOf(
  route: AnyRoute,
  ref: ParentReference,
  kind: GroupKind,
  key: string,
  parent: Parent,
  inputs: Inputs,
  read: Read,
): Problem | undefined {
  const { Service, ServiceEntry } = inputs.sources
  if (kind === SERVICE) {
    if (read.get(Service, key) === undefined) return { reason: NO_PARENT, message: `parent service: "${ref.name}" not found` }
  } else if (kind === SERVICE_ENTRY) {
    if (read.get(ServiceEntry, key) === undefined)
      return { reason: NO_PARENT, message: `parent service entry: "${ref.name}" not found` }
  } else {
    const missed = sectionProblem(ref, parent) ?? hostProblem(route, parent)
    if (missed !== undefined) return missed
  }
  if (parent.allowedKinds.some((one) => one.kind === route.kind && (one.group ?? GATEWAY_API_GROUP) === GATEWAY_API_GROUP))
    return undefined
  return { reason: NOT_ALLOWED, message: `kind ${GATEWAY_API_GROUP}/v1/${route.kind} is not allowed` }
}

function sectionProblem({ port = 0, sectionName = '' }: ParentReference, parent: Parent): Problem | undefined {
  if (port !== 0 && port !== parent.port) return { reason: NO_PARENT, message: `port ${port} not found` }
  if (sectionName !== '' && sectionName !== parent.sectionName)
    return { reason: NO_PARENT, message: `sectionName "${sectionName}" not found` }
  return undefined
}

/** One host of the route is enough. */
function hostProblem({ metadata, spec }: AnyRoute, parent: Parent): Problem | undefined {
  const hostnames = spec.hostnames ?? []
  const wanted = hostnames.length === 0 ? ['*'] : hostnames
  const matching = parent.hosts.filter((text) => {
    const host = text.slice(text.indexOf('/') + 1)
    return wanted.some((one) => hostsOverlap(host, one))
  })
  if (matching.length === 0)
    return { reason: 'NoMatchingListenerHostname', message: `no hostnames matched parent hostname "${parent.hostname}"` }
  const namespaces = matching.map((text) => text.slice(0, text.indexOf('/')))
  if (namespaces.some((one) => one === '*' || one === metadata.namespace)) return undefined
  const message = `hostnames matched parent hostname "${parent.hostname}", but namespace "${metadata.namespace}" is not allowed by the parent`
  return { reason: NOT_ALLOWED, message }
}

/** Whether requests for a route's host come to this listener and not to another that says more exactly whose they are. */
export function isolationAllows({ parent, otherHosts }: Attachment, host: string): boolean {
  const own = parent.hostname
  if (own !== '' && !own.startsWith('*')) return true
  return otherHosts.every((other) => own.length > other.length || !hostSubsetOf(host, other === '' ? '*' : other))
}
