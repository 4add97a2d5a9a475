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
import { destinationOf } from './destination.js'
import { type TracedStage, traceStages } from './trace.js'

export interface MeshRequest {
  /** A workload: `apps-client`, `apps-client.nolen`. */
  readonly from: string
  /** Default GET. */
  readonly method?: string
  /** Absolute: `http://apps-svc-all/path?query`. */
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
  const url = parseUrl(request.url)
  if (url === undefined)
    return fail(
      problem(
        'explain.url',
        'url',
        `${JSON.stringify(request.url)} is not an http:// URL; of what an app encrypts itself proxies see the name alone`,
      ),
    )
  const proxy = proxyOf(from.value, snapshot)
  if (!proxy.ok) return proxy
  const head: RequestHead = {
    method: request.method ?? 'GET',
    scheme: 'http',
    authority: url.authority,
    path: url.path,
    headers: createHeaderMap(Object.entries(request.headers ?? {})),
  }
  const connection = plaintext(from.value.address, destinationOf(snapshot, proxy.value, url.host, url.port))
  const outbound = await explainHop(from.value, 'outbound', proxy.value, { head, connection }, context)
  if (!outbound.ok) return outbound
  const hops = [outbound.value]
  const to = targetOf(outbound.value, snapshot)
  if (to !== undefined) {
    const inbound = await explainInbound(from.value, to, outbound.value, head, context)
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

async function explainInbound(
  from: Workload,
  to: Workload,
  outbound: ExplainedHop,
  head: RequestHead,
  context: ExplainContext,
): Promise<Result<ExplainedHop>> {
  const proxy = proxyOf(to, context.snapshot)
  if (!proxy.ok) return proxy
  if (outbound.result.kind !== 'forward') return fail(problem('explain.hop', '', 'the first proxy does not forward'))
  const destination = splitEndpoint(outbound.result.endpoint)
  const { namespace, serviceAccount } = from
  const identity = formatSpiffeId({ trustDomain: context.snapshot.meshConfig.trustDomain, namespace, serviceAccount })
  const connection = outbound.result.tls
    ? {
        ...plaintext(from.address, destination),
        transportProtocol: 'tls' as const,
        applicationProtocols: ['istio-http/1.1', 'istio', 'http/1.1'],
        peerUris: [identity],
      }
    : plaintext(from.address, destination)
  // Redirected connections come in at virtualInbound, whatever their port.
  const listener = proxy.value.interceptionMode === 'NONE' ? {} : { listener: 'virtualInbound' }
  return explainHop(to, 'inbound', proxy.value, { head, connection, ...listener }, context)
}

interface HopRequest {
  readonly head: RequestHead
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
  const { stages, result } = explain(config, { ...request, random, ...clock })
  return ok({
    proxy: `${workload.name}.${workload.namespace}`,
    direction,
    stages: traceStages(stages, translation, origins, workload),
    result,
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

function plaintext(source: string, destination: { address: string; port: number }): ConnectionFacts {
  const peer = { address: source === '' ? '127.0.0.1' : source, port: 40_000 }
  return { destination, source: peer, directSource: peer, transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.1'] }
}

function splitEndpoint(endpoint: string): { address: string; port: number } {
  const at = endpoint.lastIndexOf(':')
  return { address: endpoint.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(endpoint.slice(at + 1)) }
}

/** `http://host[:port][/path]`, kept as written: a URL parser would change the path. */
function parseUrl(url: string): { authority: string; host: string; port: number; path: string } | undefined {
  const match = /^http:\/\/(([^/?#:[\]]+|\[[^\]]+\])(?::(\d{1,5}))?)([/?][^#]*)?$/.exec(url)
  if (match === null) return undefined
  const [, authority = '', host = '', port = '80', path = '/'] = match
  return { authority, host: host.replace(/^\[|\]$/g, ''), port: Number(port), path: path.startsWith('/') ? path : `/${path}` }
}
