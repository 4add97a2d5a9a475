import { createStore } from '@heddle/config-model'
import { createMemorySource } from '@heddle/config-model/sources'
import { formatDiagnostic } from '@heddle/runtime'
import {
  type ProxyDescriptor,
  pilotFeatures,
  proxyFromJson,
  type ResourcesJson,
  toJson,
  translate as translateFor,
} from '@heddle/translator'
import { type Command, EXIT, InputError, type Io, outputFlag, required, wantsJson } from '../command.js'
import { configFlags, readConfig, readMeshConfigFlag } from '../config.js'
import { readText } from '../files.js'
import { type ProvenanceRow, provenanceLines, provenanceRows } from './translate-provenance.js'

async function readProxies(file: string, io: Io): Promise<ProxyDescriptor[]> {
  let json: unknown
  try {
    json = JSON.parse(await readText(file, io))
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return (Array.isArray(json) ? json : [json]).map((one) => {
    const proxy = proxyFromJson(one)
    if (!proxy.ok) throw new InputError(`${file}: ${proxy.diagnostics.map(formatDiagnostic).join('; ')}`)
    for (const diagnostic of proxy.diagnostics) io.err(`${file}: ${formatDiagnostic(diagnostic)}\n`)
    return proxy.value
  })
}

function nameOf(resource: object | string): string {
  if (typeof resource === 'string') return resource
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return name ?? cluster_name ?? '?'
}

type Output = ResourcesJson & { readonly provenance?: readonly ProvenanceRow[] }

function summarise(id: string, { provenance = [], ...resources }: Output): string {
  return [
    id,
    ...Object.entries(resources).flatMap(([type, list]) => [
      `  ${type} (${list.length})`,
      ...list.flatMap((resource: object | string) => {
        const name = nameOf(resource)
        const row = provenance.find((one) => one.name === name && one.type === type)
        return [`    ${name}`, ...(row === undefined ? [] : row.fields.flatMap(provenanceLines))]
      }),
    ]),
  ].join('\n')
}

/** `istioctl proxy-config all`, without a cluster. */
export const translate: Command = {
  name: 'translate',
  summary: 'the Envoy configuration that proxies get for a folder of YAML',
  flags: {
    ...configFlags,
    proxy: { type: 'string', value: 'FILE', help: 'one proxy or a list, as JSON: id, type, namespace, ip, labels …' },
    provenance: { type: 'boolean', help: 'say of each resource and its fields from which object, field and line they came' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const proxies = await readProxies(required(args, 'proxy'), io)
    const meshConfig = await readMeshConfigFlag(args, io)
    // Giving addresses is a controller's work, which leaves them in the status.
    const store = createStore({
      allocateAddresses: false,
      endpointsFromPods: true,
      ...(meshConfig === undefined ? {} : { meshConfig }),
    })
    const source = createMemorySource({ store })
    source.apply(await readConfig(args, io))
    for (const diagnostic of source.diagnostics.current)
      if (diagnostic.severity !== 'info') io.err(`${formatDiagnostic(diagnostic)}\n`)
    const output: Record<string, Output> = {}
    for (const proxy of proxies) {
      const made = translateFor(store.snapshot(), proxy, { features: pilotFeatures(io.env) })
      const rows = args.boolean('provenance') ? { provenance: provenanceRows(made, source.origins) } : {}
      output[proxy.id] = { ...toJson(made.resources), ...rows }
    }
    io.out(
      json
        ? `${JSON.stringify(output)}\n`
        : `${Object.entries(output)
            .map(([id, resources]) => summarise(id, resources))
            .join('\n')}\n`,
    )
    return EXIT.ok
  },
}
