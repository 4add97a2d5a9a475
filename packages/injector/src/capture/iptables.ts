import {
  type CaptureConfig,
  capturesDns,
  includesLoopback,
  LOOPBACK_V6,
  ofFamily,
  PASSTHROUGH_V4,
  PASSTHROUGH_V6,
} from './config.js'
import { captureDns } from './iptables-dns.js'
import { captureInbound, markForTproxy } from './iptables-inbound.js'
import { createRules, type Rules } from './iptables-rules.js'

/** Input of `iptables-restore --noflush` and `ip6tables-restore --noflush`; the latter empty without IPv6. */
export interface IptablesRules {
  v4: string
  v6: string
}

/** The rules of istio-iptables for `config`, byte for byte. Pure: nothing is applied. Source: istio/tools/istio-iptables/pkg/capture. */
export function iptablesRules(config: CaptureConfig): IptablesRules {
  const rules = iptablesRuleList(config)
  return { v4: rules.text(false), v6: config.enableIpv6 ? rules.text(true) : '' }
}

/** The same rules, one by one. The order is the meaning: the first that takes a packet decides. */
export function iptablesRuleList(config: CaptureConfig): Rules {
  const rules = createRules()
  leaveInterfaces(rules, config)
  if (config.dropInvalid) {
    rules.add('mangle', 'PREROUTING', '-m conntrack --ctstate INVALID -j ISTIO_DROP')
    rules.add('mangle', 'ISTIO_DROP', '-j DROP')
  }
  rules.add('nat', 'ISTIO_INBOUND', `-p tcp --dport ${config.inboundTunnelPort} -j RETURN`)
  rules.add('nat', 'ISTIO_REDIRECT', `-p tcp -j REDIRECT --to-ports ${config.proxyPort}`)
  rules.add('nat', 'ISTIO_IN_REDIRECT', `-p tcp -j REDIRECT --to-ports ${config.inboundCapturePort}`)
  captureInbound(rules, config)
  rules.add('nat', 'OUTPUT', '-j ISTIO_OUTPUT')
  for (const port of config.outboundPortsExclude)
    for (const protocol of ['tcp', 'udp']) rules.add('nat', 'ISTIO_OUTPUT', `-p ${protocol} --dport ${port} -j RETURN`)
  rules.byFamily(PASSTHROUGH_V4, PASSTHROUGH_V6, (range) => ['nat', 'ISTIO_OUTPUT', `-o lo -s ${range} -j RETURN`])
  for (const uid of config.proxyUid) leaveProxy(rules, config, 'uid', uid)
  for (const gid of config.proxyGid) leaveProxy(rules, config, 'gid', gid)
  leaveOwners(rules, config)
  if (capturesDns(config)) captureDns(rules, config)
  captureOutbound(rules, config)
  if (config.inboundInterceptionMode === 'TPROXY') markForTproxy(rules, config)
  return rules
}

function leaveInterfaces(rules: Rules, config: CaptureConfig): void {
  for (const table of config.inboundInterceptionMode === 'TPROXY' ? ['nat', 'mangle'] : ['nat'])
    for (const name of config.excludeInterfaces) {
      rules.add(table, 'PREROUTING', `-i ${name} -j RETURN`)
      rules.add(table, 'OUTPUT', `-o ${name} -j RETURN`)
    }
  for (const name of config.rerouteVirtualInterfaces) rules.insert('nat', 'PREROUTING', 1, `-i ${name} -j RETURN`)
}

/** The proxy's own traffic: to itself by way of a service it is inbound again, everywhere else it leaves. */
function leaveProxy(rules: Rules, config: CaptureConfig, kind: 'uid' | 'gid', owner: string): void {
  const dns = capturesDns(config)
  const ports =
    dns && kind === 'uid' ? `-m multiport ! --dports 53,${config.inboundTunnelPort}` : `! --dport ${config.inboundTunnelPort}`
  rules.byFamily(config.hostIpv4LoopbackCidr, LOOPBACK_V6, (loopback) => [
    'nat',
    'ISTIO_OUTPUT',
    `-o lo ! -d ${loopback} -p tcp ${ports} -m owner --${kind}-owner ${owner} -j ISTIO_IN_REDIRECT`,
  ])
  // An app that calls its own address by lo is not captured, but for DNS: a resolver may listen there.
  if (!includesLoopback(config))
    rules.add('nat', 'ISTIO_OUTPUT', `-o lo ${dns ? '-p tcp ! --dport 53 ' : ''}-m owner ! --${kind}-owner ${owner} -j RETURN`)
  rules.add('nat', 'ISTIO_OUTPUT', `-m owner --${kind}-owner ${owner} -j RETURN`)
}

function leaveOwners(rules: Rules, { ownerGroupsInclude: include, ownerGroupsExclude: exclude }: CaptureConfig): void {
  for (const group of exclude) rules.add('nat', 'ISTIO_OUTPUT', `-m owner --gid-owner ${group} -j RETURN`)
  if (include === '*') return
  const others = include.map((group) => `-m owner ! --gid-owner ${group} `).join('')
  rules.add('nat', 'ISTIO_OUTPUT', `${others}-j RETURN`)
}

function captureOutbound(rules: Rules, config: CaptureConfig): void {
  rules.byFamily(config.hostIpv4LoopbackCidr, LOOPBACK_V6, (loopback) => ['nat', 'ISTIO_OUTPUT', `-d ${loopback} -j RETURN`])
  for (const v6 of [false, true])
    for (const range of ofFamily(config.outboundIpRangesExclude, v6))
      rules.addTo(v6, 'nat', 'ISTIO_OUTPUT', `-d ${range} -j RETURN`)
  for (const port of config.outboundPortsInclude) rules.add('nat', 'ISTIO_OUTPUT', `-p tcp --dport ${port} -j ISTIO_REDIRECT`)
  const { outboundIpRangesInclude: include, rerouteVirtualInterfaces: interfaces } = config
  if (include === '*') {
    rules.add('nat', 'ISTIO_OUTPUT', '-j ISTIO_REDIRECT')
    for (const name of interfaces) rules.insert('nat', 'PREROUTING', 1, `-i ${name} -j ISTIO_REDIRECT`)
    return
  }
  for (const v6 of [false, true])
    for (const range of ofFamily(include, v6)) {
      for (const name of interfaces) rules.insertInto(v6, 'nat', 'PREROUTING', 1, `-i ${name} -d ${range} -j ISTIO_REDIRECT`)
      rules.addTo(v6, 'nat', 'ISTIO_OUTPUT', `-d ${range} -j ISTIO_REDIRECT`)
    }
}
