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

/** `dns_lookup_family` for what the proxy resolves: the family of its first address. */
export function lookupFamily({ proxy }: Pick<Build, 'proxy'>): 'V4_ONLY' | 'V6_ONLY' {
  return ask(proxy, 'first family', ({ addresses }) => addresses[0]?.includes(':') === true) ? 'V6_ONLY' : 'V4_ONLY'
}

/** Where a listener stands besides: of both families a proxy listens on the wildcard, or the loopback, of either. */
export function additionalAddresses(build: Pick<Build, 'proxy'>, bind: string, port: number): Listener['additional_addresses'] {
  const other = familiesOf(build) === 'both' && bind !== '127.0.0.6' ? IN_V6[bind] : undefined
  return other === undefined ? undefined : [{ address: { socket_address: { address: other, port_value: port } } }]
}
