import type { BenchCase, Contender, RoundContext } from '../bench-case.js'
import { looped } from '../looped.js'
import { packageVersion } from '../peers/find.js'

const size = (whole: number) => (context: RoundContext) => Math.max(10, Math.ceil(whole * context.effort.scale))

/** Reading config, looking for mistakes in it, and one change of a large mesh. */
export function configModelCases(): readonly BenchCase[] {
  return [readCase(), changeCase(), analyzeCase()]
}

/** The peers parse and nothing else. */
function readCase(): BenchCase {
  const resources = size(10_000)
  const reader = (name: string, argument: string): Contender =>
    looped({
      name,
      worker: 'config-model',
      args: (context) => ['read', argument, String(resources(context))],
      units: resources,
      verify: isCount,
    })
  return {
    bench: 'config-model',
    name: 'YAML to validated resources, 10,000 of five kinds',
    unit: 'resources/s',
    better: 'higher',
    ours: reader('parse and validate', 'ours'),
    peers: [
      reader(`js-yaml ${packageVersion('js-yaml')} parse only`, 'js-yaml'),
      reader(`yaml ${packageVersion('yaml')} parse only`, 'yaml'),
    ],
  }
}

/** From `store.apply` until every collection and the snapshot have settled. */
function changeCase(): BenchCase {
  const services = size(10_000)
  const changer = (name: string, argument: string): Contender =>
    looped({
      name,
      worker: 'config-model',
      args: (context) => ['change', argument, String(services(context))],
      verify: hasOneUnhealthy,
    })
  return {
    bench: 'config-model',
    name: 'one service changes in a mesh of 10,000 with 100,000 endpoints',
    unit: 'changes/s',
    better: 'higher',
    ours: changer('store.apply', 'ours'),
    peers: [changer('the same store made at once', 'at-once')],
  }
}

/** Within what the peer needs to parse the same text. */
function analyzeCase(): BenchCase {
  const services = size(1000)
  const analyzer = (name: string, argument: string): Contender =>
    looped({
      name,
      worker: 'config-model',
      args: (context) => ['analyze', argument, String(services(context))],
      verify: isCount,
    })
  return {
    bench: 'config-model',
    name: 'YAML of 1,000 services with routes and rules, analyzed',
    unit: 'meshes/s',
    better: 'higher',
    ours: analyzer('parse, validate and analyze', 'ours'),
    peers: [analyzer(`yaml ${packageVersion('yaml')} parse only`, 'yaml')],
  }
}

function isCount(shown: unknown): void {
  if (typeof shown !== 'number' || shown < 10) throw new Error(`only ${String(shown)} came out`)
}

function hasOneUnhealthy(shown: unknown): void {
  const endpoints = shown as readonly string[] | undefined
  const ill = (endpoints ?? []).filter((endpoint) => endpoint.endsWith(' UNHEALTHY') || endpoint.endsWith(' DRAINING'))
  if (endpoints?.length !== 10 || ill.length !== 1) throw new Error(`the change is not there: ${JSON.stringify(shown)}`)
}
