import type { MeshSnapshot, OriginIndex, ResourceKey } from '@heddle/config-model'
import {
  type CompiledResources,
  type ConnectionFacts,
  compileResources,
  createHeaderMap,
  type ExplainedResult,
  explain,
  type RequestHead,
  type ResourceMessages,
} from '@heddle/proxy-core'
import {
  type Clock,
  type Diagnostic,
  fail,
  formatSpiffeId,
  ok,
  problem,
  type Random,
  type Result,
  systemRandom,
} from '@heddle/runtime'
import { type PilotFeatures, type ProxyDescriptor, pilotFeatures, type Translation, translate } from '@heddle/translator'
import { findWorkload, proxyOf, type Workload, workloadsOf } from '../workloads.js'
import { callersConnection, mutualTls } from './connections.js'
import { destinationOf, gatewayDestination } from './destination.js'
import { parseUrl, type RequestUrl } from './request-url.js'
import { type TracedStage, traceStages } from './trace.js'

export interface MeshRequest {
  /** A workload: `apps-client`, `apps-client.nolen`. */
  readonly from: string
  /** Default GET. */
  readonly method?: string
  /**
   * Absolute: `http://apps-svc-all/path?query`. Of https an application encrypts the request itself: its sidecar sees the host's name alone; a
   * gateway (`from` its workload) sees all of what it ends the TLS of.
   */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The way through one proxy. */
export interface ExplainedHop {
  /** `apps-client.nolen`. */
  readonly proxy: string
  readonly direction: 'outbound' | 'inbound'
  readonly stages: readonly TracedStage[]
  readonly result: ExplainedResult
  /** Whether it decrypts what it is sent. */
  readonly terminatesTls: boolean
}

/** The way of a request through the mesh. */
export interface MeshExplanation {
  readonly hops: readonly ExplainedHop[]
  /** All stages of all hops, in order. */
  readonly stages: readonly (TracedStage & { readonly hop: string })[]
  /** The workload whose app gets the request; undefined when a proxy answers, or it leaves the mesh. */
  readonly reached: string | undefined
  /** How it ends: the last hop's result. */
  readonly result: ExplainedResult
}

export interface ExplainContext {
  readonly snapshot: MeshSnapshot
  /** Finds the lines; without it stages name objects and paths only. Looking lines up costs more than all the rest. */
  readonly origins?: OriginIndex
  /** istiod's switches (PILOT_*), as of the control plane that is asked about; default: all as istiod has them. */
  readonly features?: PilotFeatures
  /** Weighted clusters and load balancers throw it. */
  readonly random?: Random
  /** Tells whether tokens have expired; the system's by default. */
  readonly clock?: Clock
}

const NO_LINES: OriginIndex = { locate: () => undefined }
const ISTIODS_FEATURES = pilotFeatures({})

/**
 * Walks the request through the caller's proxy and the called one's, on the proxies' own matching code and what the control plane would
 * send them; no sockets. Fails with `workload.unknown`, `explain.url`, or what keeps a proxy's configuration from compiling.
 */
export async function explainRequest(request: MeshRequest, context: ExplainContext): Promise<Result<MeshExplanation>> {
  const { snapshot } = context
  const from = findWorkload(snapshot, request.from)
  if (!from.ok) return from
  const parsed = parseUrl(request.url)
  if (!parsed.ok) return parsed
  const url = parsed.value
  const proxy = proxyOf(from.value, snapshot)
  if (!proxy.ok) return proxy
  if (url.scheme === 'https' && proxy.value.httpProxyPort !== undefined) return fail(noConnect(from.value))
  const { scheme, authority, path } = url
  const headers = createHeaderMap(Object.entries(request.headers ?? {}))
  const head: RequestHead = { method: request.method ?? 'GET', scheme, authority, path, headers }
  const destination =
    proxy.value.type === 'router'
      ? gatewayDestination(snapshot, from.value, url.port)
      : destinationOf(snapshot, proxy.value, url.host, url.port)
  const connection = callersConnection(from.value.address, destination, url)
  const outbound = await explainHop(from.value, 'outbound', proxy.value, { head, connection }, context)
  if (!outbound.ok) return outbound
  const hops = [outbound.value]
  const to = targetOf(outbound.value, snapshot)
  if (to !== undefined) {
    // What the first proxy did not decrypt, the second sees no more of.
    const seen = scheme === 'http' || outbound.value.terminatesTls ? { ...head, scheme: 'http' } : undefined
    const inbound = await explainInbound({ from: from.value, to, outbound: outbound.value, url, head: seen }, context)
    if (!inbound.ok) return inbound
    hops.push(inbound.value)
  }
  const last = hops.at(-1) ?? outbound.value
  const reached = last.direction === 'inbound' && last.result.kind === 'forward' ? last.proxy : undefined
  return ok({
    hops,
    stages: hops.flatMap(({ stages, proxy: hop }) => stages.map((stage) => ({ ...stage, hop }))),
    reached,
    result: last.result,
  })
}

function noConnect({ name, namespace }: Workload): Diagnostic {
  const message = `an app that uses the HTTP proxy port of its sidecar (${name}.${namespace}) sends https by CONNECT, which the port does not take: ask for http://, the sidecar encrypts on the way`
  return problem('explain.url', 'url', message)
}

interface SecondHop {
  readonly from: Workload
  readonly to: Workload
  readonly outbound: ExplainedHop
  readonly url: RequestUrl
  /** Undefined: bytes that the caller has encrypted. */
  readonly head: RequestHead | undefined
}

async function explainInbound(
  { from, to, outbound, url, head }: SecondHop,
  context: ExplainContext,
): Promise<Result<ExplainedHop>> {
  const proxy = proxyOf(to, context.snapshot)
  if (!proxy.ok) return proxy
  if (outbound.result.kind !== 'forward') return fail(problem('explain.hop', '', 'the first proxy does not forward'))
  const destination = splitEndpoint(outbound.result.endpoint)
  const { namespace, serviceAccount } = from
  const identity = formatSpiffeId({ trustDomain: context.snapshot.meshConfig.trustDomain, namespace, serviceAccount })
  const connection = outbound.result.tls
    ? mutualTls(from.address, destination, identity, head === undefined ? 'bytes' : 'http')
    : callersConnection(from.address, destination, { host: url.host, scheme: head === undefined ? 'https' : 'http' })
  // Redirected connections come in at virtualInbound, whatever their port.
  const listener = proxy.value.interceptionMode === 'NONE' ? {} : { listener: 'virtualInbound' }
  return explainHop(to, 'inbound', proxy.value, { ...(head && { head }), connection, ...listener }, context)
}

interface HopRequest {
  readonly head?: RequestHead
  readonly connection: ConnectionFacts
  readonly listener?: string
}

async function explainHop(
  workload: Workload,
  direction: ExplainedHop['direction'],
  proxy: ProxyDescriptor,
  request: HopRequest,
  context: ExplainContext,
): Promise<Result<ExplainedHop>> {
  const { snapshot, origins = NO_LINES, random = systemRandom, features = ISTIODS_FEATURES } = context
  const { translation, config, diagnostics } = await compiledFor(snapshot, proxy, features)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0)
    return fail(
      ...errors.map(
        (error): Diagnostic => ({ ...error, subject: `${workload.name}.${workload.namespace}: ${error.subject ?? ''}` }),
      ),
    )
  const clock = context.clock === undefined ? {} : { clock: context.clock }
  const { stages, result, terminatesTls } = explain(config, { ...request, random, ...clock })
  return ok({
    proxy: `${workload.name}.${workload.namespace}`,
    direction,
    stages: traceStages(stages, translation, origins, workload),
    result,
    terminatesTls,
  })
}

interface CompiledProxy extends CompiledResources {
  readonly translation: Translation
}

// Tests and tables ask for many requests of one snapshot; what a proxy has does not depend on them.
type CompiledProxies = Map<string, Promise<CompiledProxy>>
const compiled = new WeakMap<MeshSnapshot, Map<PilotFeatures, CompiledProxies>>()

function compiledFor(snapshot: MeshSnapshot, proxy: ProxyDescriptor, features: PilotFeatures): Promise<CompiledProxy> {
  const key = JSON.stringify(proxy)
  const byFeatures = compiled.get(snapshot) ?? new Map<PilotFeatures, CompiledProxies>()
  compiled.set(snapshot, byFeatures)
  const known: CompiledProxies = byFeatures.get(features) ?? new Map()
  byFeatures.set(features, known)
  const compile = async (): Promise<CompiledProxy> => {
    const translation = translate(snapshot, proxy, { features })
    return { translation, ...(await compileResources(messagesOf(translation))) }
  }
  const found = known.get(key) ?? compile()
  known.set(key, found)
  return found
}

function messagesOf({ resources }: Translation): ResourceMessages {
  const messages = new Map<string, object[]>()
  for (const group of resources.groups)
    for (const [typeUrl, list] of group.resources) messages.set(typeUrl, [...(messages.get(typeUrl) ?? []), ...list])
  return messages
}

/** The workload behind the endpoint that was chosen: the one that the endpoint's YAML is about. */
function targetOf({ stages, result }: ExplainedHop, snapshot: MeshSnapshot): Workload | undefined {
  if (result.kind !== 'forward') return undefined
  const { address } = splitEndpoint(result.endpoint)
  const source = stages.find(({ stage }) => stage === 'endpoint')?.source?.object as ResourceKey | undefined
  const all = workloadsOf(snapshot)
  return all.find((workload) => workload.source === source) ?? all.find((workload) => workload.address === address)
}

function splitEndpoint(endpoint: string): { address: string; port: number } {
  const at = endpoint.lastIndexOf(':')
  return { address: endpoint.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(endpoint.slice(at + 1)) }
}
