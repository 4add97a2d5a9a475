import { lookup } from 'node:dns/promises'
import type { DnsConfig } from '../config/compiled.js'

/** Addresses of a host name, in the order of the answer. Rejects when it has none or nobody answers. */
export type Lookup = (host: string, family: DnsConfig['family']) => Promise<readonly string[]>

const FAMILIES: Readonly<Record<DnsConfig['family'], 0 | 4 | 6>> = { AUTO: 0, V4_ONLY: 4, V6_ONLY: 6, V4_PREFERRED: 0, ALL: 0 }

/** By the system's resolver: /etc/hosts, search domains and all. It tells no TTL. */
export const systemLookup: Lookup = async (host, family) => {
  const found = await lookup(host, { all: true, family: FAMILIES[family] })
  return preferred(found, family).map(({ address }) => address)
}

/** Envoy's dns_lookup_family: AUTO takes IPv6 when there is any, V4_PREFERRED the other way round, ALL both. */
function preferred<A extends { family: number }>(addresses: readonly A[], family: DnsConfig['family']): readonly A[] {
  if (family !== 'AUTO' && family !== 'V4_PREFERRED') return addresses
  const first = addresses.filter((one) => one.family === (family === 'AUTO' ? 6 : 4))
  return first.length > 0 ? first : addresses
}
