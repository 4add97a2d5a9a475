import { type CaptureConfig, DNS_PORT } from './config.js'
import { NAT, RAW, type Tables } from './nftables-tables.js'

/**
 * DNS to the agent: all of port 53, or what goes to the servers of resolv.conf. UDP has two conntrack zones, since both ends of the
 * agent's questions may have the same ports as the app's: zone 1 towards the servers, zone 2 towards the apps.
 */
export function captureDns(tables: Tables, config: CaptureConfig): void {
  tables.add(RAW, 'output', 'counter jump istio-output-dns')
  tables.add(NAT, 'istio-output', 'counter jump istio-output-dns')
  for (const protocol of ['tcp', 'udp']) {
    const match = `${protocol} dport 53 counter redirect to :${DNS_PORT}`
    if (config.captureAllDns) tables.add(NAT, 'istio-output-dns', `${protocol === 'tcp' ? 'meta l4proto tcp ' : ''}${match}`)
    else
      for (const [family, server] of serversOf(config)) tables.add(NAT, 'istio-output-dns', `${family} daddr ${server} ${match}`)
  }
  separateZones(tables, config)
}

function serversOf({ dnsServersV4, dnsServersV6, enableIpv6 }: CaptureConfig): [family: string, cidr: string][] {
  return [
    ...dnsServersV4.map((server): [string, string] => ['ip', `${server}/32`]),
    ...(enableIpv6 ? dnsServersV6 : []).map((server): [string, string] => ['ip6', `${server}/128`]),
  ]
}

function separateZones(tables: Tables, config: CaptureConfig): void {
  const owners = [...config.proxyUid.map((uid) => `skuid ${uid}`), ...config.proxyGid.map((gid) => `skgid ${gid}`)]
  for (const owner of owners) {
    tables.add(RAW, 'istio-output-dns', `udp dport 53 meta ${owner} counter ct zone set 1`)
    tables.add(RAW, 'istio-output-dns', `udp sport ${DNS_PORT} meta ${owner} counter ct zone set 2`)
  }
  tables.add(RAW, 'prerouting', 'counter jump istio-inbound')
  if (config.captureAllDns) {
    tables.add(RAW, 'istio-output-dns', 'udp dport 53 counter ct zone set 2')
    tables.add(RAW, 'istio-inbound', 'udp sport 53 counter ct zone set 1')
    return
  }
  for (const [family, server] of serversOf(config)) {
    tables.add(RAW, 'istio-output-dns', `udp dport 53 ${family} daddr ${server} counter ct zone set 2`)
    tables.add(RAW, 'istio-inbound', `udp sport 53 ${family} saddr ${server} counter ct zone set 1`)
  }
}
