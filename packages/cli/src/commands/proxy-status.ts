import { type Arguments, type Command, EXIT, InputError, type Io, outputFlag, UsageError, wantsJson } from '../command.js'
import { type Comparison, compareDumps, formatComparison } from '../config-dump/compare.js'
import { readConfigDump } from '../config-dump/read.js'
import { fetchPage } from '../fetch-page.js'
import { readText } from '../files.js'
import { CONTROL_PLANE_ADDRESS, type ConnectedProxy, connectedProxies, findProxy, proxyName } from '../proxies.js'
import { table } from '../table.js'

const TYPES = ['cds', 'lds', 'eds', 'rds', 'ecds'] as const

/** istioctl 1.17's columns; of one proxy also how what it holds differs from what it was sent. */
export const proxyStatus: Command = {
  name: 'proxy-status',
  summary: 'the proxies of a control plane, and whether they have taken what it sent them',
  positionals: '[PROXY]',
  flags: {
    address: { type: 'string', value: 'ADDR', help: `HTTP address of the control plane (default ${CONTROL_PLANE_ADDRESS})` },
    'admin-address': {
      type: 'string',
      value: 'ADDR',
      help: 'admin address of PROXY: compare what it holds with what it was sent',
    },
    file: { type: 'string', short: 'f', value: 'DUMP', help: 'the same with a saved config dump of PROXY; - reads stdin' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    if (args.positionals.length > 1) throw new UsageError('one PROXY at most')
    const address = args.string('address') ?? CONTROL_PLANE_ADDRESS
    const all = await connectedProxies(address)
    if (all === undefined) throw new InputError(`${address} is no control plane: it has no /debug/syncz`)
    const [wanted] = args.positionals
    if (wanted === undefined && (args.string('admin-address') ?? args.string('file')) !== undefined)
      throw new UsageError('--admin-address and -f compare one proxy: name the PROXY')
    const shown = wanted === undefined ? all : [findProxy(all, wanted)]
    const comparison = wanted === undefined ? undefined : await compared(args, io, address, shown[0]!)
    if (json) io.out(`${JSON.stringify(comparison ? [{ ...shown[0], comparison }] : shown, undefined, 2)}\n`)
    else io.out(table(rowsOf(shown)) + refusals(shown) + differences(wanted, comparison))
    const differs = Object.values(comparison ?? {}).some((found) => found.length > 0)
    const nacked = shown.some(({ types }) => Object.values(types).some(({ state }) => state === 'NACKED'))
    return nacked || differs ? EXIT.findings : EXIT.ok
  },
}

/** What the proxy holds against what the control plane sent; undefined when nobody said where to look. */
async function compared(args: Arguments, io: Io, address: string, proxy: ConnectedProxy): Promise<Comparison | undefined> {
  const [admin, file] = [args.string('admin-address'), args.string('file')]
  if (admin !== undefined && file !== undefined) throw new UsageError('--admin-address and -f exclude each other')
  if (admin === undefined && file === undefined) return undefined
  const held = admin === undefined ? await readText(file ?? '-', io) : await fetchPage(admin, '/config_dump')
  if (held === undefined) throw new InputError(`${admin} has no /config_dump: is it the admin address of a proxy?`)
  const sent = await fetchPage(address, `/debug/config_dump?proxyID=${encodeURIComponent(proxy.node_id)}`)
  if (sent === undefined) throw new InputError(`${proxyName(proxy.node_id)} has just left`)
  const options = { dynamicOnly: true }
  return compareDumps(readConfigDump(sent, address, options), readConfigDump(held, admin ?? file ?? '', options))
}

function differences(wanted: string | undefined, comparison: Comparison | undefined): string {
  if (comparison !== undefined) return `\n${formatComparison(comparison)}`
  return wanted === undefined ? '' : '\n--admin-address ADDR or -f DUMP compares what it holds with what it was sent.\n'
}

function rowsOf(proxies: readonly ConnectedProxy[]): string[][] {
  const rows = proxies.map((proxy) => [
    proxyName(proxy.node_id),
    proxy.cluster_id,
    ...TYPES.map((type) => stateOf(proxy.types[type])),
    proxy.istiod,
    proxy.proxy_version,
  ])
  rows.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0))
  return [['NAME', 'CLUSTER', ...TYPES.map((type) => type.toUpperCase()), 'ISTIOD', 'VERSION'], ...rows]
}

function stateOf(type: ConnectedProxy['types'][string] | undefined): string {
  if (type === undefined) return 'NOT SENT'
  if (type.state === 'NACKED') return 'NACK'
  return type.state === 'STALE' && type.acked === undefined ? 'STALE (Never Acknowledged)' : type.state
}

/** What the proxies said to what they refused. */
function refusals(proxies: readonly ConnectedProxy[]): string {
  const lines = proxies.flatMap(({ node_id, types, refusals: refused = [] }) => [
    ...Object.entries(types)
      .filter(([, { state }]) => state === 'NACKED')
      .map(([type, { nacked }]) => `${proxyName(node_id)} refused ${type.toUpperCase()}: ${nacked?.message ?? ''}\n`),
    ...refused.flatMap(({ resource, sources }) => sources.map((source) => `  ${resource} comes from ${placeOf(source)}\n`)),
  ])
  return lines.length === 0 ? '' : `\n${lines.join('')}`
}

/** `DestinationRule shop/shop spec.trafficPolicy, shop.yaml:12` */
function placeOf({ object, path, origin }: NonNullable<ConnectedProxy['refusals']>[number]['sources'][number]): string {
  const line = origin === undefined ? '' : `, ${origin.file}:${origin.line}`
  return `${object}${path === '' ? '' : ` ${path}`}${line}`
}
