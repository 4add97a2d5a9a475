import { type CaptureConfig, DNS_PORT } from './config.js'
import type { Rules } from './iptables-rules.js'

/**
 * DNS to the agent: all of port 53, or what goes to the servers of resolv.conf. UDP has two conntrack zones, since both ends of the
 * agent's questions may have the same ports as the app's: zone 1 towards the servers, zone 2 towards the apps.
 */
export function captureDns(rules: Rules, config: CaptureConfig): void {
  rules.add('raw', 'OUTPUT', '-j ISTIO_OUTPUT_DNS')
  for (const v6 of [false, true])
    if (config.captureAllDns || serversOf(config, v6).length > 0) rules.addTo(v6, 'nat', 'ISTIO_OUTPUT', '-j ISTIO_OUTPUT_DNS')
  for (const [protocol, flag] of [
    ['tcp', '--to-ports'],
    ['udp', '--to-port'],
  ]) {
    if (config.captureAllDns) rules.add('nat', 'ISTIO_OUTPUT_DNS', `-p ${protocol} --dport 53 -j REDIRECT ${flag} ${DNS_PORT}`)
    else
      for (const v6 of [false, true])
        for (const server of serversOf(config, v6))
          rules.addTo(v6, 'nat', 'ISTIO_OUTPUT_DNS', `-p ${protocol} --dport 53 -d ${server} -j REDIRECT ${flag} ${DNS_PORT}`)
  }
  separateZones(rules, config)
}

function serversOf(config: CaptureConfig, v6: boolean): string[] {
  return v6 ? config.dnsServersV6.map((server) => `${server}/128`) : config.dnsServersV4.map((server) => `${server}/32`)
}

function separateZones(rules: Rules, config: CaptureConfig): void {
  const owners = [...config.proxyUid.map((uid) => `--uid-owner ${uid}`), ...config.proxyGid.map((gid) => `--gid-owner ${gid}`)]
  for (const owner of owners) {
    rules.add('raw', 'ISTIO_OUTPUT_DNS', `-p udp --dport 53 -m owner ${owner} -j CT --zone 1`)
    rules.add('raw', 'ISTIO_OUTPUT_DNS', `-p udp --sport ${DNS_PORT} -m owner ${owner} -j CT --zone 2`)
  }
  if (config.captureAllDns) {
    rules.add('raw', 'PREROUTING', '-j ISTIO_INBOUND')
    rules.add('raw', 'ISTIO_OUTPUT_DNS', '-p udp --dport 53 -j CT --zone 2')
    rules.add('raw', 'ISTIO_INBOUND', '-p udp --sport 53 -j CT --zone 1')
    return
  }
  for (const v6 of [false, true]) {
    const servers = serversOf(config, v6)
    if (servers.length > 0) rules.addTo(v6, 'raw', 'PREROUTING', '-j ISTIO_INBOUND')
    for (const server of servers) {
      rules.addTo(v6, 'raw', 'ISTIO_OUTPUT_DNS', `-p udp --dport 53 -d ${server} -j CT --zone 2`)
      rules.addTo(v6, 'raw', 'ISTIO_INBOUND', `-p udp --sport 53 -s ${server} -j CT --zone 1`)
    }
  }
}
