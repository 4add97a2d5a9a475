import { createStore, type MeshConfig, type OriginIndex, type Store } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { type Clock, formatDiagnostic, type Random, systemClock } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import { explainRequest, type MeshExplanation, type MeshRequest } from '../explain/explain-request.js'
import { formatExplanation, formatResult } from '../explain/format.js'
import { simulateCluster, simulatedOrigins } from '../simulated-cluster.js'

export interface TestMeshOptions {
  /** File name -> YAML. {@link readFolder} reads a folder. */
  readonly files: Readonly<Record<string, string>>
  readonly meshConfig?: MeshConfig
  /** Decides weights and load balancing; seed 1 by default, so a test gives the same every time. */
  readonly random?: Random
  /** Tells whether tokens have expired; the system's by default. */
  readonly clock?: Clock
}

/** What a request comes to. */
export interface TestAnswer {
  /** `apps-v1`: the workload whose app gets it; undefined when a proxy answers or the request leaves the mesh. */
  readonly workload: string | undefined
  /** What the proxies say themselves: `the proxy answers 403 …`; undefined when an app gets it. */
  readonly refusal: string | undefined
  readonly explanation: MeshExplanation
}

export type TestRequest = Omit<MeshRequest, 'from'>

/** A whole mesh in one process, without sockets: the control plane's translation and the proxies' own decisions. */
export interface TestMesh {
  /** Where a request from that workload goes. */
  request(from: string, url: string, request?: Omit<TestRequest, 'url'>): Promise<TestAnswer>
  /** Asserts where it goes; throws an error that explains the way it took instead. `workload`: name, or name.namespace. */
  expectReach(workload: string, from: string, url: string, request?: Omit<TestRequest, 'url'>): Promise<void>
  /** Asserts that a proxy refuses it with this status. */
  expectRefused(status: number, from: string, url: string, request?: Omit<TestRequest, 'url'>): Promise<void>
  /** How many of `count` requests reach each workload, by name; for weights. */
  spread(count: number, from: string, url: string, request?: Omit<TestRequest, 'url'>): Promise<Record<string, number>>
  readonly store: Store
}

/**
 * Reads the files as a control plane would. Deployments become pods behind the Services that select them; WorkloadEntries stay as they are.
 * Throws when a document is wrong: a test of configuration that is not in force would prove nothing.
 */
export function createTestMesh({
  files,
  meshConfig,
  random = createSeededRandom(1),
  clock = systemClock,
}: TestMeshOptions): TestMesh {
  const store = createStore({ endpointsFromPods: true, ...(meshConfig === undefined ? {} : { meshConfig }) })
  const source = createMemorySource({ store })
  source.apply(files)
  const errors = source.diagnostics.current.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(`the configuration has errors:\n${errors.map(formatDiagnostic).join('\n')}`)
  store.apply({ set: simulateCluster(store.snapshot()) })
  return meshOf(store, simulatedOrigins(source.origins), { random, clock })
}

function meshOf(store: Store, origins: OriginIndex, given: { random: Random; clock: Clock }): TestMesh {
  const walk = async (request: MeshRequest, lines?: OriginIndex): Promise<MeshExplanation> => {
    const result = await explainRequest(request, {
      snapshot: store.snapshot(),
      ...given,
      ...(lines === undefined ? {} : { origins: lines }),
    })
    if (!result.ok) throw new Error(result.diagnostics.map(formatDiagnostic).join('\n'))
    return result.value
  }
  const request: TestMesh['request'] = async (from, url, rest = {}) => answerOf(await walk({ from, url, ...rest }, origins))
  const line = (from: string, url: string, { method = 'GET', headers = {} }: Omit<TestRequest, 'url'>): string =>
    `${method} ${url} from ${from}${Object.entries(headers)
      .map(([name, value]) => `, ${name}: ${value}`)
      .join('')}`
  return {
    store,
    request,
    async expectReach(workload, from, url, rest = {}) {
      const { explanation } = await request(from, url, rest)
      if (explanation.reached === workload || explanation.reached?.split('.')[0] === workload) return
      throw new Error(
        `${line(from, url, rest)}\nshould reach ${workload}, but ${explanation.reached === undefined ? formatResult(explanation.result) : `reaches ${explanation.reached}`}:\n\n${formatExplanation(explanation)}`,
      )
    },
    async expectRefused(status, from, url, rest = {}) {
      const { explanation } = await request(from, url, rest)
      if (explanation.result.kind === 'reply' && explanation.result.status === status) return
      throw new Error(
        `${line(from, url, rest)}\nshould be refused with ${status}, but ${formatResult(explanation.result)}:\n\n${formatExplanation(explanation)}`,
      )
    },
    async spread(count, from, url, rest = {}) {
      const reached: Record<string, number> = {}
      for (let i = 0; i < count; i++) {
        const { workload, refusal } = answerOf(await walk({ from, url, ...rest }))
        const key = workload ?? refusal ?? ''
        reached[key] = (reached[key] ?? 0) + 1
      }
      return reached
    },
  }
}

function answerOf(explanation: MeshExplanation): TestAnswer {
  const { reached, result } = explanation
  return { workload: reached?.split('.')[0], refusal: reached === undefined ? formatResult(result) : undefined, explanation }
}
