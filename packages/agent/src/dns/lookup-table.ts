import { isIPv4, isIPv6 } from 'node:net'
import type { NameTable, NameTable_NameInfo } from '@heddle/xds-types/istio/networking/nds/v1'

/** Where a pod asks from. */
export interface DnsContext {
  readonly namespace: string
  /** `svc.cluster.local`, or with the namespace before it, as a proxy has it. */
  readonly domain: string
  /** Of resolv.conf. */
  readonly search: readonly string[]
}

export interface Found {
  /** The name that has the addresses, where it is not the one that was asked for. */
  readonly cname?: string
  /** None of that family: the name is there all the same. */
  readonly addresses: readonly string[]
}

export interface LookupTable {
  /** `host` in lower case, without the last dot; undefined: the mesh does not know it. */
  lookup(host: string, type: 'A' | 'AAAA'): Found | undefined
}

interface Host {
  readonly A: readonly string[]
  readonly AAAA: readonly string[]
}

/**
 * The names of the mesh as a pod writes them (Istio's pkg/dns/client): `tea.shop`, `tea.shop.svc` and the whole of a Kubernetes Service, `tea`
 * alone in its namespace, other hosts as they are, wildcards too. What a resolver makes of a name with the first search domain leads to it by a
 * CNAME, so that `db.example` takes one question instead of one for each search domain.
 */
export function createLookupTable({ table = {} }: NameTable, context: DnsContext): LookupTable {
  const hosts = new Map<string, Host>()
  for (const [hostname, info] of Object.entries(table)) {
    const { ips = [] } = info
    const host = { A: ips.filter(isIPv4), AAAA: ips.filter(isIPv6) }
    if (host.A.length + host.AAAA.length === 0) continue
    for (const name of namesOf(hostname, info, context)) hosts.set(name.toLowerCase(), host)
  }
  const suffix = context.search[0] === undefined ? undefined : `.${context.search[0].toLowerCase().replace(/\.$/, '')}`
  return {
    lookup(asked, type) {
      const host = hosts.get(asked) ?? wildcard(hosts, asked)
      if (host !== undefined) return { addresses: host[type] }
      if (suffix === undefined || !asked.endsWith(suffix)) return undefined
      const cname = asked.slice(0, -suffix.length)
      const meant = hosts.get(cname) ?? wildcard(hosts, cname)
      return meant === undefined ? undefined : { cname, addresses: meant[type] }
    },
  }
}

function namesOf(hostname: string, info: NameTable_NameInfo, { namespace, domain }: DnsContext): readonly string[] {
  const own = domain.startsWith(`${namespace}.`) ? domain.slice(namespace.length + 1) : domain
  const { registry, shortname = '', namespace: at = '', alt_hosts = [] } = info
  // Of another domain, that is another cluster, short names could mean two Services.
  if (registry !== 'Kubernetes' || shortname === '' || own === '' || !hostname.endsWith(own)) return [hostname]
  const short = `${shortname}.${at}`
  return [hostname, short, `${short}.${own.split('.')[0]}`, ...(at === namespace ? [shortname] : []), ...alt_hosts]
}

/** `*.example` for `a.b.example`; the longest counts. */
function wildcard(hosts: ReadonlyMap<string, Host>, asked: string): Host | undefined {
  for (let dot = asked.indexOf('.'); dot >= 0; dot = asked.indexOf('.', dot + 1)) {
    const host = hosts.get(`*${asked.slice(dot)}`)
    if (host !== undefined) return host
  }
  return undefined
}
