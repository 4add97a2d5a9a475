import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'

export interface GuardedGetOptions {
  /** For the whole answer; default 5,000. */
  readonly timeoutMs?: number
  /** The largest body; default 1 MiB. */
  readonly maxBytes?: number
  /** Networks that are never asked, `10.0.0.0/8`, besides link-local ones, where clouds keep their metadata. */
  readonly blockedCidrs?: readonly string[]
}

const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128']

/**
 * GET of a URL that configuration names: http and https, no redirects, bounded in time and size, and never to a blocked address,
 * whatever its name resolves to (GHSA-fgw5-hp8f-xfhc). Rejects with why not.
 */
export function guardedGet(url: string, options: GuardedGetOptions = {}): Promise<string> {
  const { timeoutMs = 5000, maxBytes = 1024 * 1024, blockedCidrs = [] } = options
  const blocked = blockListOf([...LINK_LOCAL, ...blockedCidrs])
  return new Promise((resolve, reject) => {
    const target = URL.canParse(url) ? new URL(url) : undefined
    const get = target?.protocol === 'https:' ? getHttps : target?.protocol === 'http:' ? getHttp : undefined
    if (target === undefined || get === undefined) return reject(new Error(`${JSON.stringify(url)} is no http or https URL`))
    const host = target.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && isBlocked(blocked, host)) return reject(new Error(`${host} is not asked: its network is blocked`))
    const settings = {
      // A connection of its own: one that is reused would not be checked.
      agent: false,
      lookup: guardedLookup(blocked),
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json' },
    }
    const request = get(target, settings, (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > maxBytes) response.destroy(new Error(`the answer is larger than ${maxBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'))
        else reject(new Error(`the answer is ${response.statusCode}`))
      })
    })
    request.on('error', reject)
  })
}

/** The address that is checked is the one that is connected to: a name cannot change in between. */
function guardedLookup(blocked: BlockList): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const allowed = addresses.filter(({ address }: LookupAddress) => !isBlocked(blocked, address))
      const [first] = allowed
      if (first === undefined) return callback(new Error(`${hostname} is not asked: its network is blocked`), [])
      if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function isBlocked(list: BlockList, address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  return list.check(mapped, isIP(mapped) === 6 ? 'ipv6' : 'ipv4')
}

function blockListOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [network = '', prefix = ''] = cidr.split('/')
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
