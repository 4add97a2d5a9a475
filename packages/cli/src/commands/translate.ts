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
    return proxy.value
  })
}

const summarise = (id: string, resources: ResourcesJson): string =>
  [
    id,
    ...Object.entries(resources).flatMap(([type, list]) => [
      `  ${type} (${list.length})`,
      ...list.map((r: object | string) => `    ${nameOf(r)}`),
    ]),
  ].join('\n')

function nameOf(resource: object | string): string {
  if (typeof resource === 'string') return resource
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return name ?? cluster_name ?? '?'
}

/** `istioctl proxy-config all`, without a cluster. */
export const translate: Command = {
  name: 'translate',
  summary: 'the Envoy configuration that proxies get for a folder of YAML',
  flags: {
    ...configFlags,
    proxy: { type: 'string', value: 'FILE', help: 'one proxy or a list, as JSON: id, type, namespace, ip, labels …' },
    provenance: { type: 'boolean', help: 'say of each resource which objects and fields it came from' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const proxies = await readProxies(required(args, 'proxy'), io)
    const meshConfig = await readMeshConfigFlag(args, io)
    // Giving addresses is a controller's work, which leaves them in the status.
    const store = createStore({ allocateAddresses: false, ...(meshConfig === undefined ? {} : { meshConfig }) })
    const source = createMemorySource({ store })
    source.apply(await readConfig(args, io))
    for (const diagnostic of source.diagnostics.current)
      if (diagnostic.severity === 'error') io.err(`${formatDiagnostic(diagnostic)}\n`)
    const output: Record<string, ResourcesJson & { provenance?: object }> = {}
    for (const proxy of proxies) {
      const { resources, provenance } = translateFor(store.snapshot(), proxy, { features: pilotFeatures(io.env) })
      output[proxy.id] = toJson(resources)
      if (!args.boolean('provenance')) continue
      const rows = resources.groups.flatMap((group) =>
        [...group.resources].flatMap(([typeUrl, list]) =>
          list.map((resource) => ({ typeUrl, name: nameOf(resource), from: provenance.of(typeUrl, nameOf(resource)) })),
        ),
      )
      output[proxy.id] = { ...toJson(resources), provenance: rows }
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
