import type { Clock, Logger, MetricsRegistry, Random } from '@heddle/runtime'
import type { NameTable } from '@heddle/xds-types/istio/networking/nds/v1'
import { createLookupTable, type LookupTable } from './lookup-table.js'
import { type NameSubscription, subscribeNames } from './names.js'
import { parseResolvConf } from './resolv-conf.js'
import { createDnsServer, type DnsServer } from './server.js'
import { createUpstream } from './upstream.js'

export interface DnsOptions {
  /** Default `localhost:15053`, to which `heddle init --redirect-dns` turns the pod's DNS. At port 53, which nobody turns, it forwards before the names have come. */
  readonly address?: string
  /** Text of resolv.conf: the servers of all other names, the search domains of the pod. */
  readonly resolvConf: string
  /** All servers of resolv.conf at once (DNS_FORWARD_PARALLEL); default one after the other. */
  readonly parallel?: boolean
}

export interface DnsProxyOptions extends DnsOptions {
  readonly namespace: string
  readonly domain: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: MetricsRegistry
}

/** The DNS proxy of the agent: a server and the table that it answers from. */
export interface DnsProxy {
  /** For the stream to the control plane. */
  readonly names: NameSubscription
  /** Undefined until it has come. */
  readonly table: NameTable | undefined
  /** An app that asks too early would take its services for absent. Undefined: it has the names. */
  notReady(): string | undefined
  /** Rejects where a port is taken, or the address is none. The port that was bound. */
  listen(): Promise<number>
  close(): Promise<void>
}

export function createDnsProxy(options: DnsProxyOptions): DnsProxy {
  const { address = 'localhost:15053', namespace, domain, parallel = false, clock, random, logger, metrics } = options
  const { servers, search } = parseResolvConf(options.resolvConf)
  let table: NameTable | undefined
  let lookup: LookupTable | undefined
  let server: DnsServer | undefined
  const update = (next: NameTable): void => {
    table = next
    lookup = createLookupTable(next, { namespace, domain, search })
  }
  return {
    names: subscribeNames(update, logger),
    get table() {
      return table
    },
    notReady: () => (table === undefined ? 'no names for the DNS proxy yet' : undefined),
    async listen() {
      const { hosts, port } = listenersOf(address, servers)
      server = createDnsServer({
        ...{ addresses: hosts, port, clock, random, logger, metrics },
        table: () => lookup,
        upstream: createUpstream({ servers, parallel, clock }),
        untilThen: port === 53 ? 'forward' : 'fail',
      })
      return server.listen()
    },
    close: async () => server?.close(),
  }
}

/** `localhost` is the loopback of each family in which the pod asks. Throws an Error for what is no `host:port`. */
function listenersOf(address: string, servers: readonly string[]): { hosts: readonly string[]; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(address) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || !(port <= 65_535)) throw new Error(`${JSON.stringify(address)} is no address like localhost:15053`)
  if (host !== 'localhost') return { hosts: [host === '' ? '127.0.0.1' : host], port }
  const v6 = servers.some((server) => server.includes(':'))
  const v4 = servers.some((server) => !server.includes(':'))
  return { hosts: [...(v4 || !v6 ? ['127.0.0.1'] : []), ...(v6 ? ['::1'] : [])], port }
}
