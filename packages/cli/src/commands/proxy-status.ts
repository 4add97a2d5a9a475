import { type Command, EXIT, InputError, outputFlag, UsageError, wantsJson } from '../command.js'
import { CONTROL_PLANE_ADDRESS, type ConnectedProxy, connectedProxies, findProxy, proxyName } from '../proxies.js'
import { table } from '../table.js'

const TYPES = ['cds', 'lds', 'eds', 'rds', 'ecds'] as const

/** istioctl 1.17's columns. */
export const proxyStatus: Command = {
  name: 'proxy-status',
  summary: 'the proxies of a control plane, and whether they have taken what it sent them',
  positionals: '[PROXY]',
  flags: {
    address: { type: 'string', value: 'ADDR', help: `HTTP address of the control plane (default ${CONTROL_PLANE_ADDRESS})` },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    if (args.positionals.length > 1) throw new UsageError('one PROXY at most')
    const address = args.string('address') ?? CONTROL_PLANE_ADDRESS
    const all = await connectedProxies(address)
    if (all === undefined) throw new InputError(`${address} is no control plane: it has no /debug/syncz`)
    const [wanted] = args.positionals
    const shown = wanted === undefined ? all : [findProxy(all, wanted)]
    if (json) io.out(`${JSON.stringify(shown, undefined, 2)}\n`)
    else io.out(table(rowsOf(shown)) + refusals(shown))
    return shown.some(({ types }) => Object.values(types).some(({ state }) => state === 'NACKED')) ? EXIT.findings : EXIT.ok
  },
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
