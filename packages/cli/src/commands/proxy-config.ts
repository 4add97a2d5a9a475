import { systemClock } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, InputError, type Io, outputFlag, UsageError, wantsJson } from '../command.js'
import { clusterTable } from '../config-dump/clusters.js'
import { endpointTable } from '../config-dump/endpoints.js'
import { listenerTable } from '../config-dump/listeners.js'
import { type Dump, readConfigDump } from '../config-dump/read.js'
import { routeTable } from '../config-dump/routes.js'
import { secretTable } from '../config-dump/secrets.js'
import { fetchPage } from '../fetch-page.js'
import { readText } from '../files.js'
import { CONTROL_PLANE_ADDRESS, connectedProxies, findProxy } from '../proxies.js'
import { table } from '../table.js'

interface Kind {
  readonly aliases: readonly string[]
  json(dump: Dump): unknown
  /** Undefined: it is shown as JSON only. */
  table?(dump: Dump): string[][]
}

const KINDS: Readonly<Record<string, Kind>> = {
  cluster: { aliases: ['clusters', 'c'], json: (dump) => dump.clusters, table: (dump) => clusterTable(dump.clusters) },
  listener: { aliases: ['listeners', 'l'], json: (dump) => dump.listeners, table: (dump) => listenerTable(dump.listeners) },
  route: { aliases: ['routes', 'r'], json: (dump) => dump.routes, table: (dump) => routeTable(dump.routes) },
  endpoint: { aliases: ['endpoints', 'ep'], json: (dump) => dump.endpoints, table: (dump) => endpointTable(dump.endpoints) },
  secret: {
    aliases: ['secrets', 's'],
    json: (dump) => dump.secrets,
    table: (dump) => secretTable(dump.secrets, systemClock.now()),
  },
  bootstrap: { aliases: ['b'], json: (dump) => dump.bootstrap },
  ecds: { aliases: ['ec'], json: (dump) => dump.ecds },
}
const IN_ALL = ['cluster', 'listener', 'route', 'endpoint', 'secret']

/** istioctl 1.17's kinds and columns, for a proxy of a control plane, a proxy's admin page, or a saved dump. */
export const proxyConfig: Command = {
  name: 'proxy-config',
  summary: 'what a proxy has: clusters, listeners, routes, endpoints, secrets',
  positionals: 'KIND [PROXY]',
  flags: {
    address: {
      type: 'string',
      value: 'ADDR',
      help: `HTTP address of a control plane, or admin address of the proxy (default ${CONTROL_PLANE_ADDRESS})`,
    },
    file: { type: 'string', short: 'f', value: 'DUMP', help: 'a saved config dump instead; - reads stdin' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const [word = '', proxy, ...others] = args.positionals
    if (others.length > 0) throw new UsageError('one KIND and one PROXY at most')
    const kinds = kindsOf(word)
    const dump = await dumpOf(args, io, proxy)
    const onlyJson = kinds.every((kind) => kind.table === undefined)
    if (json || onlyJson) {
      const values = kinds.map((kind) => kind.json(dump) ?? null)
      const named = Object.fromEntries(IN_ALL.map((name, i) => [`${name}s`, values[i]]))
      io.out(`${JSON.stringify(word === 'all' ? named : values[0], undefined, 2)}\n`)
    } else io.out(kinds.map((kind) => table(kind.table?.(dump) ?? [])).join('\n'))
    return EXIT.ok
  },
}

function kindsOf(word: string): readonly Kind[] {
  if (word === 'all') return IN_ALL.map((name) => KINDS[name] as Kind)
  const found = Object.entries(KINDS).find(([name, { aliases }]) => name === word || aliases.includes(word))
  if (found === undefined)
    throw new UsageError(`KIND is one of ${Object.keys(KINDS).join(', ')}, all, or right after proxy-config: log, rootca-compare`)
  return [found[1]]
}

async function dumpOf(args: Arguments, io: Io, proxy: string | undefined): Promise<Dump> {
  const file = args.string('file')
  if (file !== undefined) return readConfigDump(await readText(file, io), file)
  const address = args.string('address') ?? CONTROL_PLANE_ADDRESS
  const proxies = await connectedProxies(address)
  if (proxies === undefined) {
    const own = await fetchPage(address, '/config_dump?include_eds')
    if (own === undefined) throw new InputError(`${address} has neither /debug/syncz nor /config_dump`)
    return readConfigDump(own, address)
  }
  if (proxy === undefined) throw new UsageError('PROXY is wanted: pod.namespace, as heddle proxy-status lists them')
  const { node_id } = findProxy(proxies, proxy)
  const dump = await fetchPage(address, `/debug/config_dump?proxyID=${encodeURIComponent(node_id)}`)
  if (dump === undefined) throw new InputError(`${proxy} has just left`)
  return readConfigDump(dump, `${address} ${proxy}`)
}
