import { type CaptureConfig, LOOPBACK_V6, OUTBOUND_MARK, PASSTHROUGH_V4, PASSTHROUGH_V6 } from './config.js'
import type { Rules } from './iptables-rules.js'

/** Inbound traffic to the proxy, by REDIRECT or TPROXY; without ports none. */
export function captureInbound(rules: Rules, config: CaptureConfig): void {
  const { inboundPortsInclude: include } = config
  if (include.length === 0) return
  const tproxy = config.inboundInterceptionMode === 'TPROXY'
  const table = tproxy ? 'mangle' : 'nat'
  if (tproxy) {
    // What is marked is routed to lo, where the proxy listens.
    rules.add('mangle', 'ISTIO_DIVERT', `-j MARK --set-mark ${config.inboundTproxyMark}`)
    rules.add('mangle', 'ISTIO_DIVERT', '-j ACCEPT')
    const target = `-p tcp -j TPROXY --tproxy-mark ${config.inboundTproxyMark}/0xffffffff --on-port ${config.inboundCapturePort}`
    rules.byFamily(config.hostIpv4LoopbackCidr, LOOPBACK_V6, (loopback) => [
      'mangle',
      'ISTIO_TPROXY',
      `! -d ${loopback} ${target}`,
    ])
  }
  rules.add(table, 'PREROUTING', '-p tcp -j ISTIO_INBOUND')
  if (include === '*')
    for (const port of config.inboundPortsExclude) rules.add(table, 'ISTIO_INBOUND', `-p tcp --dport ${port} -j RETURN`)
  for (const port of include === '*' ? [''] : include) {
    const match = `-p tcp${port === '' ? '' : ` --dport ${port}`}`
    // Packets of a connection that the proxy holds go to its socket.
    if (tproxy) rules.add(table, 'ISTIO_INBOUND', `${match} -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT`)
    rules.add(table, 'ISTIO_INBOUND', `${match} -j ${tproxy ? 'ISTIO_TPROXY' : 'ISTIO_IN_REDIRECT'}`)
  }
}

/** Marks that bring answers back to the proxy, and that keep it from capturing what it sends itself. */
export function markForTproxy(rules: Rules, config: CaptureConfig): void {
  const mark = config.inboundTproxyMark
  rules.add('mangle', 'PREROUTING', `-p tcp -m mark --mark ${mark} -j CONNMARK --save-mark`)
  rules.add('mangle', 'OUTPUT', `-p tcp -o lo -m mark --mark ${mark} -j RETURN`)
  const owners = [...config.proxyUid.map((uid) => `--uid-owner ${uid}`), ...config.proxyGid.map((gid) => `--gid-owner ${gid}`)]
  for (const owner of owners)
    rules.byFamily(config.hostIpv4LoopbackCidr, LOOPBACK_V6, (loopback) => [
      'mangle',
      'OUTPUT',
      `! -d ${loopback} -p tcp -o lo -m owner ${owner} -j MARK --set-mark ${OUTBOUND_MARK}`,
    ])
  rules.add('mangle', 'OUTPUT', `-p tcp -m connmark --mark ${mark} -j CONNMARK --restore-mark`)
  rules.insert('mangle', 'ISTIO_INBOUND', 1, `-p tcp -m mark --mark ${mark} -j RETURN`)
  rules.insertInto(false, 'mangle', 'ISTIO_INBOUND', 2, `-p tcp -s ${PASSTHROUGH_V4} -i lo -j RETURN`)
  rules.insertInto(true, 'mangle', 'ISTIO_INBOUND', 2, `-p tcp -s ${PASSTHROUGH_V6} -i lo -j RETURN`)
  rules.insert('mangle', 'ISTIO_INBOUND', 3, `-p tcp -i lo -m mark ! --mark ${OUTBOUND_MARK} -j RETURN`)
}
