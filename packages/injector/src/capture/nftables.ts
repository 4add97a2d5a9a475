import {
  type CaptureConfig,
  capturesDns,
  includesLoopback,
  LOOPBACK_V6,
  ofFamily,
  PASSTHROUGH_V4,
  PASSTHROUGH_V6,
} from './config.js'
import { captureDns } from './nftables-dns.js'
import { captureInbound, markForTproxy } from './nftables-inbound.js'
import { createTables, MANGLE, NAT, type Tables } from './nftables-tables.js'

/** The script of istio-nftables for `config`, for `nft -f`, byte for byte. Pure: nothing is applied. Source: istio/tools/istio-nftables/pkg/capture. */
export function nftablesRules(config: CaptureConfig): string {
  const tables = createTables()
  leaveInterfaces(tables, config)
  if (config.dropInvalid) {
    tables.add(MANGLE, 'prerouting', 'meta l4proto tcp ct state invalid counter jump istio-drop')
    tables.add(MANGLE, 'istio-drop', 'counter drop')
  }
  tables.add(NAT, 'istio-inbound', `meta l4proto tcp tcp dport ${config.inboundTunnelPort} counter return`)
  tables.add(NAT, 'istio-redirect', `meta l4proto tcp counter redirect to :${config.proxyPort}`)
  tables.add(NAT, 'istio-in-redirect', `meta l4proto tcp counter redirect to :${config.inboundCapturePort}`)
  captureInbound(tables, config)
  tables.add(NAT, 'output', 'counter jump istio-output')
  for (const port of config.outboundPortsExclude)
    for (const protocol of ['tcp', 'udp']) tables.add(NAT, 'istio-output', `${protocol} dport ${port} counter return`)
  tables.add(NAT, 'istio-output', `oifname lo ip saddr ${PASSTHROUGH_V4} counter return`)
  if (config.enableIpv6) tables.add(NAT, 'istio-output', `oifname lo ip6 saddr ${PASSTHROUGH_V6} counter return`)
  for (const uid of config.proxyUid) leaveProxy(tables, config, 'skuid', uid)
  for (const gid of config.proxyGid) leaveProxy(tables, config, 'skgid', gid)
  leaveOwners(tables, config)
  if (capturesDns(config)) captureDns(tables, config)
  captureOutbound(tables, config)
  if (config.inboundInterceptionMode === 'TPROXY') markForTproxy(tables, config)
  return tables.text()
}

function leaveInterfaces(tables: Tables, config: CaptureConfig): void {
  for (const table of config.inboundInterceptionMode === 'TPROXY' ? [NAT, MANGLE] : [NAT])
    for (const name of config.excludeInterfaces) {
      tables.add(table, 'prerouting', `iifname ${name} counter return`)
      tables.add(table, 'output', `oifname ${name} counter return`)
    }
  for (const name of config.rerouteVirtualInterfaces) tables.insert(NAT, 'prerouting', 0, `iifname ${name} counter return`)
}

/** The proxy's own traffic: to itself by way of a service it is inbound again, everywhere else it leaves. */
function leaveProxy(tables: Tables, config: CaptureConfig, kind: 'skuid' | 'skgid', owner: string): void {
  const dns = capturesDns(config)
  const ports = dns && kind === 'skuid' ? `{ 53, ${config.inboundTunnelPort} }` : config.inboundTunnelPort
  const toItself = (family: string, loopback: string): void =>
    tables.add(
      NAT,
      'istio-output',
      `oifname lo meta l4proto tcp ${family} daddr != ${loopback} tcp dport != ${ports} ${kind} ${owner} counter jump istio-in-redirect`,
    )
  toItself('ip', config.hostIpv4LoopbackCidr)
  if (config.enableIpv6) toItself('ip6', LOOPBACK_V6)
  // An app that calls its own address by lo is not captured, but for DNS: a resolver may listen there.
  if (!includesLoopback(config))
    tables.add(
      NAT,
      'istio-output',
      `oifname lo ${dns ? 'meta l4proto tcp tcp dport != 53 ' : ''}${kind} != ${owner} counter return`,
    )
  tables.add(NAT, 'istio-output', `${kind} ${owner} counter return`)
}

function leaveOwners(tables: Tables, { ownerGroupsInclude: include, ownerGroupsExclude: exclude }: CaptureConfig): void {
  for (const group of exclude) tables.add(NAT, 'istio-output', `skgid ${group} counter return`)
  if (include === '*') return
  const others = include.map((group) => `skgid != ${group} `).join('')
  tables.add(NAT, 'istio-output', `${others}counter return`)
}

function captureOutbound(tables: Tables, config: CaptureConfig): void {
  const { enableIpv6, outboundIpRangesInclude: include, rerouteVirtualInterfaces: interfaces } = config
  const families = [{ family: 'ip', v6: false }, ...(enableIpv6 ? [{ family: 'ip6', v6: true }] : [])]
  tables.add(NAT, 'istio-output', `ip daddr ${config.hostIpv4LoopbackCidr} counter return`)
  if (enableIpv6) tables.add(NAT, 'istio-output', `ip6 daddr ${LOOPBACK_V6} counter return`)
  for (const { family, v6 } of families)
    for (const range of ofFamily(config.outboundIpRangesExclude, v6))
      tables.add(NAT, 'istio-output', `${family} daddr ${range} counter return`)
  for (const port of config.outboundPortsInclude) tables.add(NAT, 'istio-output', `tcp dport ${port} counter jump istio-redirect`)
  if (include === '*') {
    tables.add(NAT, 'istio-output', 'counter jump istio-redirect')
    for (const name of interfaces) tables.insert(NAT, 'prerouting', 0, `iifname ${name} counter jump istio-redirect`)
    return
  }
  for (const { family, v6 } of families)
    for (const range of ofFamily(include, v6)) {
      for (const name of interfaces)
        tables.insert(NAT, 'prerouting', 0, `iifname ${name} ${family} daddr ${range} counter jump istio-redirect`)
      tables.add(NAT, 'istio-output', `${family} daddr ${range} counter jump istio-redirect`)
    }
}
