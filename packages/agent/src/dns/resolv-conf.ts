import { isIP } from 'node:net'

/** What resolv.conf(5) says, as far as a forwarder needs it. */
export interface ResolvConf {
  /** Addresses, in their order. */
  readonly servers: readonly string[]
  readonly search: readonly string[]
}

/** The last `search` or `domain` line counts; what is no address is no server. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let search: readonly string[] = []
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && rest[0] !== undefined && isIP(rest[0]) !== 0) servers.push(rest[0])
    else if (word === 'search' || word === 'domain') search = rest
  }
  return { servers, search }
}
