import { type Command, EXIT, InputError, outputFlag, wantsJson } from '../command.js'
import { connectedProxies } from '../proxies.js'
import { VERSION } from '../version.js'

/** A version of proxies, and how many of them are connected. */
interface DataPlaneVersion {
  readonly version: string
  readonly proxies: number
}

/** `istioctl version`: with `--address` those of the data plane, too. */
export const version: Command = {
  name: 'version',
  summary: 'the version of this command and of the Node that runs it, and of the proxies of a control plane',
  flags: {
    address: { type: 'string', value: 'ADDR', help: 'HTTP address of a control plane: count the versions of its proxies' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const address = args.string('address')
    const own = { heddle: VERSION, node: process.version }
    const dataPlane = address === undefined ? undefined : await dataPlaneOf(address)
    if (json) io.out(`${JSON.stringify({ ...own, ...(dataPlane && { dataPlane }) }, undefined, 2)}\n`)
    else
      io.out(
        `heddle ${own.heddle} on Node ${own.node}\n${dataPlane === undefined ? '' : `data plane version: ${counted(dataPlane)}\n`}`,
      )
    return EXIT.ok
  },
}

async function dataPlaneOf(address: string): Promise<readonly DataPlaneVersion[]> {
  const proxies = await connectedProxies(address)
  if (proxies === undefined) throw new InputError(`${address} is no control plane: it has no /debug/syncz`)
  const counts = new Map<string, number>()
  for (const { proxy_version } of proxies) counts.set(proxy_version, (counts.get(proxy_version) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([of, count]) => ({ version: of, proxies: count }))
}

/** `1.31.0 (2 proxies), unknown (1 proxy)`. */
function counted(versions: readonly DataPlaneVersion[]): string {
  if (versions.length === 0) return 'none (0 proxies)'
  return versions
    .map(({ version: of, proxies }) => `${of === '' ? 'unknown' : of} (${proxies} ${proxies === 1 ? 'proxy' : 'proxies'})`)
    .join(', ')
}
