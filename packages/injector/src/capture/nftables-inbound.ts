import { type CaptureConfig, LOOPBACK_V6, OUTBOUND_MARK, PASSTHROUGH_V4, PASSTHROUGH_V6 } from './config.js'
import { MANGLE, NAT, type Tables } from './nftables-tables.js'

/** Inbound traffic to the proxy, by redirect or tproxy; without ports none. */
export function captureInbound(tables: Tables, config: CaptureConfig): void {
  const { inboundPortsInclude: include } = config
  if (include.length === 0) return
  const tproxy = config.inboundInterceptionMode === 'TPROXY'
  const table = tproxy ? MANGLE : NAT
  if (tproxy) divert(tables, config)
  tables.add(table, 'prerouting', 'meta l4proto tcp counter jump istio-inbound')
  if (include === '*')
    for (const port of config.inboundPortsExclude)
      tables.add(table, 'istio-inbound', `meta l4proto tcp tcp dport ${port} counter return`)
  for (const port of include === '*' ? [''] : include) {
    const match = port === '' ? '' : `tcp dport ${port} `
    // Packets of a connection that the proxy holds go to its socket.
    if (tproxy)
      tables.add(table, 'istio-inbound', `meta l4proto tcp ct state related,established ${match}counter jump istio-divert`)
    tables.add(table, 'istio-inbound', `meta l4proto tcp ${match}counter jump ${tproxy ? 'istio-tproxy' : 'istio-in-redirect'}`)
  }
}

function divert(tables: Tables, config: CaptureConfig): void {
  const mark = config.inboundTproxyMark
  // What is marked is routed to lo, where the proxy listens.
  tables.add(MANGLE, 'istio-divert', `counter meta mark set ${mark}`)
  tables.add(MANGLE, 'istio-divert', 'counter accept')
  const to = (family: string, loopback: string): void =>
    tables.add(
      MANGLE,
      'istio-tproxy',
      `meta l4proto tcp ${family} daddr != ${loopback} tproxy ${family} to :${config.inboundCapturePort} meta mark set ${mark} counter accept`,
    )
  to('ip', config.hostIpv4LoopbackCidr)
  if (config.enableIpv6) to('ip6', LOOPBACK_V6)
}

/** Marks that bring answers back to the proxy, and that keep it from capturing what it sends itself. */
export function markForTproxy(tables: Tables, config: CaptureConfig): void {
  const mark = config.inboundTproxyMark
  tables.add(MANGLE, 'prerouting', `meta l4proto tcp mark ${mark} counter ct mark set mark`)
  tables.add(MANGLE, 'output', `oifname lo meta l4proto tcp mark ${mark} counter return`)
  const owners = [...config.proxyUid.map((uid) => `skuid ${uid}`), ...config.proxyGid.map((gid) => `skgid ${gid}`)]
  for (const owner of owners) {
    const own = (family: string, loopback: string): void =>
      tables.add(
        MANGLE,
        'output',
        `oifname lo meta l4proto tcp ${family} daddr != ${loopback} ${owner} counter meta mark set ${OUTBOUND_MARK}`,
      )
    own('ip', config.hostIpv4LoopbackCidr)
    if (config.enableIpv6) own('ip6', LOOPBACK_V6)
  }
  tables.add(MANGLE, 'output', `meta l4proto tcp ct mark ${mark} counter meta mark set ct mark`)
  tables.insert(MANGLE, 'istio-inbound', 0, `meta l4proto tcp mark ${mark} counter return`)
  tables.insert(MANGLE, 'istio-inbound', 1, `iifname lo meta l4proto tcp ip saddr ${PASSTHROUGH_V4} counter return`)
  if (config.enableIpv6)
    tables.insert(MANGLE, 'istio-inbound', 1, `iifname lo meta l4proto tcp ip6 saddr ${PASSTHROUGH_V6} counter return`)
  tables.insert(MANGLE, 'istio-inbound', 2, `iifname lo meta l4proto tcp mark != ${OUTBOUND_MARK} counter return`)
}
