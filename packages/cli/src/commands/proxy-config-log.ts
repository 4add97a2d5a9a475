import { type Arguments, type Command, EXIT, InputError, outputFlag, UsageError, wantsJson } from '../command.js'
import { fetchPage } from '../fetch-page.js'

/** Where Istio's proxies have their admin page. */
const ADMIN_ADDRESS = '127.0.0.1:15000'
const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'] as const
/** What `--reset` sets. */
const DEFAULT_LEVEL = 'warning'
/** Of `--level debug`: every logger. */
const ALL = 'level'

/** Levels by logger, in the order in which they are set. */
type Wanted = readonly (readonly [logger: string, level: string])[]

/** `istioctl proxy-config log`, on the admin page `/logging` of Envoy and of our proxy. */
export const proxyConfigLog: Command = {
  name: 'proxy-config log',
  summary: 'the log levels of a proxy, shown or set while it runs',
  flags: {
    address: { type: 'string', value: 'ADDR', help: `admin address of the proxy (default ${ADMIN_ADDRESS})` },
    level: {
      type: 'string',
      value: 'LEVELS',
      help: `one level for all loggers, or LOGGER:LEVEL,…; levels: ${LEVELS.join(', ')}`,
    },
    reset: { type: 'boolean', short: 'r', help: `set all loggers to ${DEFAULT_LEVEL}` },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const wanted = wantedLevels(args)
    const address = args.string('address') ?? ADMIN_ADDRESS
    let page = await logging(address, '')
    const known = loggersOf(page)
    const unknown = wanted.find(([logger]) => logger !== ALL && !(logger in known))
    if (unknown !== undefined)
      throw new UsageError(`the proxy has no logger ${unknown[0]}; it has ${Object.keys(known).join(', ')}`)
    for (const [logger, level] of wanted) page = await logging(address, `?${encodeURIComponent(logger)}=${level}`)
    io.out(json ? `${JSON.stringify({ loggers: loggersOf(page) }, undefined, 2)}\n` : page)
    return EXIT.ok
  },
}

/** Envoy wants POST for looking, too. */
async function logging(address: string, query: string): Promise<string> {
  const page = await fetchPage(address, `/logging${query}`, 'POST')
  if (page === undefined)
    throw new InputError(`${address} has no /logging: --address wants the admin address of the proxy, not of a control plane`)
  return page
}

/** `debug`, `http:debug,router:info`; what is for all loggers comes first, as istioctl has it. */
function wantedLevels(args: Arguments): Wanted {
  const written = args.string('level')
  if (args.boolean('reset') && written !== undefined) throw new UsageError('--level and --reset exclude each other')
  if (args.boolean('reset')) return [[ALL, DEFAULT_LEVEL]]
  if (written === undefined) return []
  const pairs = written.split(',').map((part): readonly [string, string] => {
    const [first = '', second] = part.split(/[:=]/)
    return second === undefined ? [ALL, levelOf(first)] : [first, levelOf(second)]
  })
  return [...pairs.filter(([logger]) => logger === ALL), ...pairs.filter(([logger]) => logger !== ALL)]
}

function levelOf(written: string): string {
  const level = written === 'none' ? 'off' : LEVELS.find((one) => one === written)
  if (level === undefined) throw new UsageError(`${JSON.stringify(written)} is no level; use ${LEVELS.join(', ')}`)
  return level
}

/** The lines `  name: level` below `active loggers:`. */
function loggersOf(page: string): Record<string, string> {
  return Object.fromEntries([...page.matchAll(/^\s+(\S+): (.+)$/gm)].map(([, name = '', level = '']) => [name, level]))
}
