import { createStore } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { explainRequest, formatExplanation, simulateCluster, simulatedOrigins } from '@heddle/mesh'
import { formatDiagnostic } from '@heddle/runtime'
import { pilotFeatures } from '@heddle/translator'
import { type Command, EXIT, outputFlag, required, UsageError, wantsJson } from '../command.js'
import { configFlags, readConfig, readMeshConfigFlag } from '../config.js'

/** `k: v` as curl takes it. */
function headerOf(text: string): [string, string] {
  const at = text.indexOf(':')
  if (at <= 0) throw new UsageError(`-H takes 'name: value', not ${JSON.stringify(text)}`)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

/** Which way a request would take, what else there was and why not, and the line of YAML behind each. */
export const explain: Command = {
  name: 'explain',
  summary: 'the way of a request: what decides, what lost and why, and the line of YAML of each',
  positionals: 'METHOD URL',
  flags: {
    ...configFlags,
    from: {
      type: 'string',
      value: 'WORKLOAD',
      help: 'who sends it: name, name.namespace or namespace/name; of a gateway: who takes it from outside',
    },
    header: { type: 'string', short: 'H', multiple: true, value: "'k: v'", help: 'a request header; may be repeated' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const from = required(args, 'from')
    const [method, url, ...others] = args.positionals
    if (method === undefined || url === undefined || others.length > 0) throw new UsageError('METHOD and URL are wanted')
    const headers = Object.fromEntries(args.strings('header').map(headerOf))
    const meshConfig = await readMeshConfigFlag(args, io)
    const store = createStore({ endpointsFromPods: true, ...(meshConfig === undefined ? {} : { meshConfig }) })
    const source = createMemorySource({ store })
    source.apply(await readConfig(args, io))
    for (const diagnostic of source.diagnostics.current)
      if (diagnostic.severity === 'error') io.err(`${formatDiagnostic(diagnostic)}\n`)
    // Deployments alone say what would run; a cluster would have given them pods.
    store.apply({ set: simulateCluster(store.snapshot()) })
    const origins = simulatedOrigins(source.origins)
    const result = await explainRequest(
      { from, method, url, headers },
      { snapshot: store.snapshot(), origins, features: pilotFeatures(io.env) },
    )
    if (!result.ok) {
      for (const diagnostic of result.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
      return EXIT.findings
    }
    io.out(json ? `${JSON.stringify(result.value, undefined, 2)}\n` : `${formatExplanation(result.value)}\n`)
    return EXIT.ok
  },
}
