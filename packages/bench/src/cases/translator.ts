import type { BenchCase, Contender } from '../bench-case.js'
import { timed } from '../timed.js'
import { ISTIO_SHAPES, type IstioShape } from '../translator/istio-shapes.js'
import { LARGE_MESH } from '../translator/large-mesh.js'

/** Istio's own shapes against istiod's figures, and a large mesh against what the design asks for. */
export function translatorCases(): readonly BenchCase[] {
  return [...ISTIO_SHAPES.flatMap((shape) => [fullCase(shape), changeCase(shape)]), ...MESH.flatMap(meshCases)]
}

/** What JSON.parse of 1 MB took where istiod was measured. */
const ISTIOD_PARSE_MS = 5.5

/** istiod's figure for all types of the shape. */
const forResources = ({ istiod: { routes, clusters, listeners } }: IstioShape): number => routes + clusters + listeners

/** istiod makes all of them again after a change, and before them what it knows of the mesh and the proxy: of ours that is part of what is timed. */
function afterChange(shape: IstioShape): number {
  const { pushContext } = shape.istiod
  const other = TURNS[shape.name]
  const resources = ISTIO_SHAPES.filter(({ name }) => name === shape.name || name === other).map(forResources)
  return pushContext + resources.reduce((sum, ms) => sum + ms, 0) / resources.length
}

/** Shapes that a change makes of each other. */
const TURNS: Readonly<Record<string, string>> = { strict: 'disabled', disabled: 'strict' }

/** istiod's milliseconds, brought to this machine. */
function istiod(ms: number): Contender {
  return timed({
    name: 'istiod 1.32-dev, recorded, by JSON.parse',
    worker: 'json-parse',
    args: () => [],
    goal: { must: 1, after: 2 },
    scale: (parseMs) => (ms * parseMs) / ISTIOD_PARSE_MS,
    showMore: false,
  })
}

function fullCase(shape: IstioShape): BenchCase {
  return {
    bench: 'translator-shapes',
    name: `${shape.name}: all resources of one ${shape.type}`,
    unit: 'ms',
    better: 'lower',
    ours: timed({
      name: 'translator',
      worker: 'translator-shape',
      args: () => [shape.name, 'full'],
      // The case of the change checks both: its worker begins with everything.
      checks: false,
      // Of the smallest shapes an operation is fast only after some ten thousand: it runs through all of the translator.
      warmups: 4,
    }),
    peers: [istiod(forResources(shape))],
  }
}

function changeCase(shape: IstioShape): BenchCase {
  return {
    bench: 'translator-shapes',
    name: `${shape.name}: after one change`,
    unit: 'ms',
    better: 'lower',
    ours: timed({ name: 'translator', worker: 'translator-shape', args: () => [shape.name, 'change'] }),
    peers: [istiod(afterChange(shape))],
  }
}

interface Reach {
  readonly namespaces: number
  readonly words: string
}

const MESH: readonly Reach[] = [
  { namespaces: 5, words: '20 Sidecar scopes of 5 namespaces' },
  { namespaces: LARGE_MESH.namespaces, words: 'every service visible everywhere' },
]

/** What the design asks for, in milliseconds; cold it asks for nothing and istiod's own start of such a mesh is told. */
const TARGETS = { endpoint: 20, VirtualService: 50, DestinationRule: 50, proxy: 5, cold: 8_000 } as const
const WORDS: Readonly<Record<keyof typeof TARGETS, string>> = {
  endpoint: 'one endpoint to all',
  VirtualService: 'one VirtualService to all',
  DestinationRule: 'one DestinationRule to all',
  proxy: 'one new proxy with a known view',
  cold: 'from objects to the last byte of all',
}

function meshCases({ namespaces, words }: Reach): BenchCase[] {
  return (Object.keys(TARGETS) as (keyof typeof TARGETS)[]).map((scenario) => ({
    bench: 'translator-mesh',
    name: `1,000 services, 2,000 proxies, ${words}: ${WORDS[scenario]}`,
    unit: 'ms',
    better: 'lower' as const,
    ours: timed({
      name: 'translator',
      worker: 'translator-mesh',
      args: ({ effort }) => [scenario, String(namespaces), String(effort.scale)],
      checks: scenario !== 'cold' && scenario !== 'proxy',
    }),
    peers: [target(TARGETS[scenario])],
  }))
}

function target(ms: number): Contender {
  return {
    name: `target of ${ms.toLocaleString('en-US')} ms`,
    missing: undefined,
    goal: { must: 1, after: 2 },
    check: async () => {},
    measure: async () => ({ value: ms, cpuMicros: undefined }),
  }
}
