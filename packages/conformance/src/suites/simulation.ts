import { type CompiledResources, compileResources } from '@heddle/proxy-core'
import { each, type Suite, type Verdict } from '../suite.js'
import { type Json, meshConfigFromGo, meshOf, proxyOf, type Resources, translated } from './mesh.js'
import { answer, type Call, type Simulated } from './simulated-call.js'

interface Expect extends Partial<Simulated> {
  /** Absent fields must be empty. */
  readonly strictMatch?: boolean
}

export interface Scenario {
  readonly id: string
  readonly config: string
  readonly kubeConfig?: string
  readonly proxy: {
    readonly Type?: string
    readonly ConfigNamespace?: string
    readonly IPAddresses?: readonly string[]
    readonly Labels?: Readonly<Record<string, string>>
    readonly Metadata?: Readonly<Record<string, unknown>>
  } | null
  readonly options?: { readonly MeshConfig?: { readonly set?: Readonly<Record<string, unknown>> } }
  readonly calls: readonly { readonly name: string; readonly call: Call; readonly expect: Expect }[]
}

/** Calls through generated listeners, routes and clusters -> which of each is met, or the error. Decided by the proxy's own matchers. */
export const simulation: Suite = {
  name: 'simulation',
  file: 'simulation.json',
  ids: (data) => callsOf(data).map(idOf),
  run: (data) => {
    const calls = callsOf(data.json())
    const compiled = new Map<Scenario, Promise<Compiled>>()
    return each(calls, idOf, async ({ scenario, call, expect }) => {
      if (!compiled.has(scenario)) compiled.set(scenario, compile(scenario))
      const { resources, config } = await compiled.get(scenario)!
      return compare(expect, answer(call, config.config, resources))
    })
  },
}

interface Compiled {
  readonly resources: Resources
  readonly config: CompiledResources
}

type ScenarioCall = Scenario['calls'][number] & { readonly scenario: Scenario }

const callsOf = (data: unknown): ScenarioCall[] =>
  (data as Scenario[]).flatMap((scenario) => scenario.calls.map((call) => ({ ...call, scenario })))
const idOf = ({ scenario, name }: ScenarioCall): string => `${scenario.id}/${name}`

const TYPE = 'type.googleapis.com/envoy.config'

async function compile(scenario: Scenario): Promise<Compiled> {
  const resources = resourcesOf(scenario)
  return { resources, config: await compileResources(messagesOf(resources)) }
}

/** What the scenario's proxy is given. */
export function resourcesOf({ config, kubeConfig = '', proxy, options }: Scenario): Resources {
  const snapshot = meshOf([kubeConfig, config], meshConfigFromGo(options?.MeshConfig?.set ?? {}))
  // Hosts of the configuration have no cluster domain there: `a` in namespace default is `a.default`.
  return translated(snapshot, proxyOf(proxyJson(proxy)), { domainSuffix: '' })
}

export function messagesOf(resources: Resources): Map<string, readonly Json[]> {
  return new Map([
    [`${TYPE}.listener.v3.Listener`, resources.listeners],
    [`${TYPE}.route.v3.RouteConfiguration`, resources.routes],
    [`${TYPE}.cluster.v3.Cluster`, resources.clusters],
    [`${TYPE}.endpoint.v3.ClusterLoadAssignment`, resources.endpoints],
  ])
}

/** Fields of Istio's Go proxy -> a proxy as `heddle translate` takes it. */
function proxyJson(proxy: Scenario['proxy']): Json {
  const { Labels: labels, Namespace: namespace, ClusterID: cluster, ...metadata } = proxy?.Metadata ?? {}
  return {
    id: 'app.test',
    version: '1.23.0',
    type: proxy?.Type ?? 'sidecar',
    namespace: proxy?.ConfigNamespace ?? namespace ?? 'default',
    ip: proxy?.IPAddresses?.join(',') ?? '1.1.1.1',
    labels: proxy?.Labels ?? labels ?? {},
    ...(cluster === undefined ? {} : { cluster }),
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [METADATA[name] ?? name, value])),
  }
}

/** Names of Istio's Go struct -> of node metadata. */
const METADATA: Readonly<Record<string, string>> = {
  DNSCapture: 'DNS_CAPTURE',
  DNSAutoAllocate: 'DNS_AUTO_ALLOCATE',
  Network: 'NETWORK',
  InterceptionMode: 'INTERCEPTION_MODE',
  HTTPProxyPort: 'HTTP_PROXY_PORT',
  UnprivilegedPod: 'UNPRIVILEGED_POD',
}

const FIELDS = [
  'error',
  'listenerMatched',
  'filterChainMatched',
  'routeConfigMatched',
  'virtualHostMatched',
  'routeMatched',
  'clusterMatched',
] as const

function compare(want: Expect, got: Simulated): Verdict {
  const wrong: string[] = []
  for (const field of FIELDS) {
    const wanted = want[field] ?? ''
    const compared = field === 'error' || wanted !== '' || want.strictMatch === true
    if (compared && wanted !== got[field]) wrong.push(`${field}: want ${wanted || 'none'}, got ${got[field] || 'none'}`)
  }
  return wrong.length === 0 ? undefined : wrong.join('; ')
}
