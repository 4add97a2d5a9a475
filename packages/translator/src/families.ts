import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { ask } from './ask.js'
import type { Build } from './build.js'

/** Which families of addresses a proxy has. One without any is taken for IPv4. */
export type Families = 'IPv4' | 'IPv6' | 'both'

export function familiesOf({ proxy }: Pick<Build, 'proxy'>): Families {
  return ask(proxy, 'families', ({ addresses }) => {
    const v6 = addresses.some((a) => a.includes(':'))
    const v4 = addresses.some((a) => !a.includes(':'))
    return v6 ? (v4 ? 'both' : 'IPv6') : 'IPv4'
  })
}

const IN_V6: Readonly<Record<string, string>> = { '0.0.0.0': '::', '127.0.0.1': '::1', '127.0.0.6': '::6' }

/** Addresses that mean a place and not a host, in the family of the proxy. */
export function inFamily(build: Pick<Build, 'proxy'>, address: string): string {
  return familiesOf(build) === 'IPv6' ? (IN_V6[address] ?? address) : address
}

type DnsLookupFamily = 'V4_ONLY' | 'V6_ONLY' | 'ALL'

/** `dns_lookup_family` for what the proxy resolves. One of both families resolves IPv4 alone unless istiod is for both. */
export function lookupFamily({ proxy, features }: Pick<Build, 'proxy' | 'features'>): DnsLookupFamily {
  const families = familiesOf({ proxy })
  if (families === 'IPv6') return features.ipv4BesideIpv6 ? 'ALL' : 'V6_ONLY'
  return families === 'both' && features.dualStack ? 'ALL' : 'V4_ONLY'
}

/** Whether the proxy uses both of its families at once: it has them, and istiod is for both (ISTIO_DUAL_STACK). */
export function isDualStack({ proxy, features }: Pick<Build, 'proxy' | 'features'>): boolean {
  return features.dualStack && familiesOf({ proxy }) === 'both'
}

/** Of a Service's cluster IPs those that the proxy can reach; a proxy of both families takes the first one's family unless it uses both. */
export function reachableAddresses(addresses: readonly string[], families: Families, all: boolean): readonly string[] {
  if (families === 'both' && all) return addresses
  const v6 = families === 'both' ? addresses[0]?.includes(':') === true : families === 'IPv6'
  return addresses.filter((address) => address.includes(':') === v6)
}

/** Where a listener stands besides: of both families a proxy has the wildcard, or the loopback, of either. */
export function otherFamily(build: Pick<Build, 'proxy'>, bind: string): readonly string[] {
  const other = familiesOf(build) === 'both' && bind !== '127.0.0.6' ? IN_V6[bind] : undefined
  return other === undefined ? [] : [other]
}

/** The same of listeners that stand on one family alone unless istiod is for both. */
export function dualAddresses(build: Build, bind: string, port: number): Listener['additional_addresses'] {
  const others = isDualStack(build) ? otherFamily(build, bind) : []
  return others.length === 0 ? undefined : listOf(others, port)
}

export function listOf(addresses: readonly string[], port: number): NonNullable<Listener['additional_addresses']> {
  return addresses.map((address) => ({ address: { socket_address: { address, port_value: port } } }))
}
