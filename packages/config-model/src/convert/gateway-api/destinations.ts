import type { Read } from '@heddle/runtime'
import type { BackendReference, WeightedBackend } from '../../kinds/gateway-api/references.js'
import type { Destination } from '../../kinds/http-route.js'
import type { RouteDestination } from '../../kinds/virtual-service.js'
import { sha256 } from '../../names/sha256.js'
import type { Problem } from '../status.js'
import { type Inputs, serviceHost } from './inputs.js'
import { type GroupKind, groupKindOf, INFERENCE_POOL, isGranted, SERVICE } from './references.js'

/** Who sends traffic there. */
export interface RouteContext {
  readonly kind: string
  readonly group: GroupKind
  readonly namespace: string
  /** Routes of the mesh may send anywhere: ReferenceGrants are for gateways. */
  readonly checkGrants: boolean
  readonly inputs: Inputs
  readonly read: Read
}

/** A problem of one backend: its share of requests fails, the others go on. A `fatal` one stops the whole route. */
export interface BackendResult {
  readonly destination: Destination
  readonly problem?: Problem
  readonly fatal?: true
}

/** No destination: what goes there is answered with 500. */
const NOWHERE: Destination = { host: '' }

const HOSTNAME: GroupKind = 'networking.istio.io/Hostname'
const SERVICE_IMPORT: GroupKind = 'multicluster.x-k8s.io/ServiceImport'

/** Where a backendRef leads. */
export function destinationOf(to: BackendReference, context: RouteContext): BackendResult {
  const { inputs, read, namespace: own } = context
  const kind = groupKindOf(to, SERVICE)
  const namespace = to.namespace ?? own
  if (context.checkGrants && namespace !== own) {
    const cross = { from: context.group, fromNamespace: own, to: kind, toNamespace: namespace, name: to.name }
    if (!isGranted(cross, inputs.grants, read)) return notPermitted(to, context)
  }
  if (kind === INFERENCE_POOL) return poolDestination(to, namespace, context)
  const target = hostOf(to, kind, namespace, context)
  if (target === undefined) {
    const { group = '', kind: name = '' } = to
    return {
      destination: NOWHERE,
      problem: { reason: 'InvalidKind', message: `referencing unsupported backendRef: group "${group}" kind "${name}"` },
    }
  }
  if ('destination' in target) return target
  if (to.port === undefined) return fatal('port is required in backendRef')
  const destination = { host: target.host, port: { number: to.port } }
  return target.known ? { destination } : { destination, problem: backendNotFound(target.host) }
}

function notPermitted({ name, namespace }: BackendReference, { kind, namespace: own }: RouteContext): BackendResult {
  const message = `backendRef ${name}/${namespace} not accessible to a ${kind} in namespace "${own}" (missing a ReferenceGrant?)`
  return { destination: NOWHERE, problem: { reason: 'RefNotPermitted', message } }
}

function backendNotFound(host: string): Problem {
  return { reason: 'BackendNotFound', message: `backend(${host}) not found` }
}

function fatal(message: string): BackendResult {
  return { destination: NOWHERE, problem: { reason: 'InvalidDestination', message }, fatal: true }
}

type Target = { readonly host: string; readonly known: boolean } | BackendResult

function hostOf(to: BackendReference, kind: GroupKind, namespace: string, { inputs, read }: RouteContext): Target | undefined {
  const { sources, services, domainSuffix } = inputs
  if (kind === SERVICE || kind === SERVICE_IMPORT) {
    if (to.name.includes('.')) return fatal('service name invalid; the name of the Service must be used, not the hostname.')
    const known = read.get(sources.Service, `${namespace}/${to.name}`) !== undefined
    // An imported service goes by its usual name: it is spread over clusters anyway.
    return { host: serviceHost(to.name, namespace, domainSuffix), known }
  }
  if (kind === HOSTNAME) {
    if (to.namespace !== undefined) return fatal('namespace may not be set with Hostname type')
    return { host: to.name, known: read.get(services, `${namespace}/${to.name}`) !== undefined }
  }
  return undefined
}

/** The Service that stands for an InferencePool. */
function poolDestination(to: BackendReference, namespace: string, { inputs, read }: RouteContext): BackendResult {
  const { sources, services, domainSuffix } = inputs
  if (to.name.includes('.'))
    return fatal('InferencePool.Name invalid; the name of the InferencePool must be used, not the hostname.')
  if (read.get(sources.InferencePool, `${namespace}/${to.name}`) === undefined)
    return { destination: NOWHERE, problem: backendNotFound(to.name) }
  const host = serviceHost(poolServiceName(to.name), namespace, domainSuffix)
  const service = read.get(services, `${namespace}/${host}`)
  const port = service?.ports[0]?.number
  if (port === undefined) return { destination: NOWHERE, problem: backendNotFound(host) }
  return { destination: { host, port: { number: port } } }
}

const MOST_IN_A_LABEL = 63

/** `gemma-ip-1a2b3c4d`: the name with the start of its SHA-256. */
export function poolServiceName(pool: string): string {
  const suffix = `-ip-${sha256(pool).slice(0, 8)}`
  return `${pool.slice(0, MOST_IN_A_LABEL - suffix.length)}${suffix}`
}

/** The backends that get traffic, with their weights: one alone needs none. */
export function weighted<B extends WeightedBackend>(
  refs: readonly B[],
): readonly { readonly ref: B; readonly weight?: number }[] {
  const used = refs.filter(({ weight = 1 }) => weight !== 0)
  return used.map((ref) => (used.length === 1 ? { ref } : { ref, weight: ref.weight ?? 1 }))
}

/** Destinations of a TCP or TLS rule; without any, connections go where nothing is. */
export function l4Destinations(
  refs: readonly WeightedBackend[],
  context: RouteContext,
): { readonly route?: readonly RouteDestination[]; readonly problem?: Problem } {
  const backends = weighted(refs)
  if (backends.length === 0) return { route: [{ destination: CLOSED }] }
  let problem: Problem | undefined
  const route: RouteDestination[] = []
  for (const { ref, weight } of backends) {
    const found = destinationOf(ref, context)
    if (found.fatal === true) return found.problem === undefined ? {} : { problem: found.problem }
    problem = found.problem ?? problem
    route.push({ destination: found.destination, ...(weight === undefined ? {} : { weight }) })
  }
  return problem === undefined ? { route } : { route, problem }
}

/** A cluster that does not exist: Envoy closes what goes there. */
const CLOSED: Destination = { host: 'internal.cluster.local', subset: 'zero-weight', port: { number: 65_535 } }
