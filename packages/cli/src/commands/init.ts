import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { goDuration } from '@heddle/agent'
import {
  type ApplyOptions,
  applyCapture,
  type CaptureConfig,
  type CaptureText,
  captureConfig,
  cleanCapture,
  iptablesRules,
  nftablesRules,
} from '@heddle/injector'
import { formatDiagnostic } from '@heddle/runtime'
import { validateCapture } from '../capture-validation.js'
import { type Arguments, type Command, EXIT, type Flag, type Io, UsageError } from '../command.js'
import { runCommand } from '../run-command.js'

/** Flags with a value: istio-iptables' long name, its short one, the field. Each may stand in the environment: ENVOY_PORT. */
const VALUES: Readonly<Record<string, { short?: string; field: keyof CaptureText; value: string; help: string; env?: string }>> =
  {
    'envoy-port': { short: 'p', field: 'proxyPort', value: 'PORT', help: 'outbound traffic goes here (default 15001)' },
    'inbound-capture-port': {
      short: 'z',
      field: 'inboundCapturePort',
      value: 'PORT',
      help: 'inbound traffic goes here (default 15006)',
    },
    'inbound-tunnel-port': { short: 'e', field: 'inboundTunnelPort', value: 'PORT', help: 'never captured (default 15008)' },
    'proxy-uid': { short: 'u', field: 'proxyUid', value: 'UID,…', help: 'the proxy’s users, not captured (default 1337)' },
    'proxy-gid': { short: 'g', field: 'proxyGid', value: 'GID,…', help: 'the proxy’s groups (default: as -u)' },
    'istio-inbound-interception-mode': {
      short: 'm',
      field: 'inboundInterceptionMode',
      value: 'REDIRECT|TPROXY',
      help: 'how inbound traffic is captured',
    },
    'istio-inbound-ports': {
      short: 'b',
      field: 'inboundPortsInclude',
      value: 'PORT,…',
      help: 'inbound ports to capture; * all, empty none',
    },
    'istio-local-exclude-ports': {
      short: 'd',
      field: 'inboundPortsExclude',
      value: 'PORT,…',
      help: 'with -b "*": inbound ports to leave',
    },
    'istio-exclude-interfaces': { short: 'c', field: 'excludeInterfaces', value: 'NIC,…', help: 'nothing of these is captured' },
    'istio-service-cidr': {
      short: 'i',
      field: 'outboundIpRangesInclude',
      value: 'CIDR,…',
      help: 'outbound ranges to capture; * all, empty none',
    },
    'istio-service-exclude-cidr': {
      short: 'x',
      field: 'outboundIpRangesExclude',
      value: 'CIDR,…',
      help: 'outbound ranges to leave',
    },
    'istio-outbound-ports': {
      short: 'q',
      field: 'outboundPortsInclude',
      value: 'PORT,…',
      help: 'outbound ports to capture in any range',
    },
    'istio-local-outbound-ports-exclude': {
      short: 'o',
      field: 'outboundPortsExclude',
      value: 'PORT,…',
      help: 'outbound ports to leave',
    },
    'kube-virt-interfaces': {
      short: 'k',
      field: 'rerouteVirtualInterfaces',
      value: 'NIC,…',
      help: 'what comes in here is outbound traffic of a virtual machine',
    },
    'istio-inbound-tproxy-mark': { short: 't', field: 'inboundTproxyMark', value: 'MARK', help: 'default 1337' },
    'istio-inbound-tproxy-route-table': { short: 'r', field: 'inboundTproxyRouteTable', value: 'TABLE', help: 'default 133' },
    'outbound-owner-groups': {
      field: 'ownerGroupsInclude',
      value: 'GID,…',
      help: 'only these groups are captured (default *)',
      env: 'ISTIO_OUTBOUND_OWNER_GROUPS',
    },
    'outbound-owner-groups-exclude': {
      field: 'ownerGroupsExclude',
      value: 'GID,…',
      help: 'these groups are not captured',
      env: 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE',
    },
    'host-ipv4-loopback-cidr': {
      field: 'hostIpv4LoopbackCidr',
      value: 'CIDR',
      help: 'default 127.0.0.1/32',
      env: 'ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR',
    },
  }

const SWITCHES: Readonly<Record<string, { field: keyof CaptureText; help: string; env: string }>> = {
  'redirect-dns': { field: 'redirectDns', help: 'DNS goes to the agent on 15053', env: 'ISTIO_META_DNS_CAPTURE' },
  'capture-all-dns': {
    field: 'captureAllDns',
    help: 'all of port 53, not only the servers of /etc/resolv.conf',
    env: 'CAPTURE_ALL_DNS',
  },
  'drop-invalid': { field: 'dropInvalid', help: 'drop what conntrack calls invalid', env: 'INVALID_DROP' },
}

const flags: Record<string, Flag> = {
  ...Object.fromEntries(
    Object.entries(VALUES).map(([name, { short, value, help }]) => [
      name,
      { type: 'string' as const, value, help, ...(short === undefined ? {} : { short }) },
    ]),
  ),
  ...Object.fromEntries(Object.entries(SWITCHES).map(([name, { help }]) => [name, { type: 'boolean' as const, help }])),
  'dual-stack': { type: 'boolean', help: 'IPv6 as well, where one of several addresses is IPv6' },
  'native-nftables': { type: 'boolean', help: 'nft instead of iptables' },
  'dry-run': { type: 'boolean', short: 'n', help: 'print the rules, apply nothing' },
  clean: { type: 'boolean', help: 'remove all rules of ours; others’ stay' },
  'cleanup-only': { type: 'boolean', help: 'the same, by istio-iptables’ name' },
  'force-apply': { type: 'boolean', help: 'apply even what is there already' },
  'run-validation': { type: 'boolean', help: 'see whether capture is in force, as the proxy’s user; exit 126 where it is not' },
  'iptables-probe-port': { type: 'string', value: 'PORT', help: 'of --run-validation: where nobody listens (default 15002)' },
  'probe-timeout': { type: 'string', value: 'DURATION', help: 'of --run-validation (default 5s)' },
  'skip-rule-apply': { type: 'boolean', help: 'do nothing: somebody else made the rules (CNI)' },
  log_output_level: { type: 'string', value: 'LEVELS', help: 'for istio-iptables’ command lines; there is little to log' },
  log_as_json: { type: 'boolean', help: 'likewise' },
}

/** `pilot-agent istio-iptables`, and istio-init before it. */
export const init: Command = {
  name: 'init',
  positionals: '[istio-iptables]',
  summary: 'capture this network namespace’s traffic for the proxy, by iptables or nftables',
  flags,
  async run(args, io) {
    // Injected init containers name the sub-command of pilot-agent.
    if (args.positionals.some((word) => word !== 'istio-iptables')) throw new UsageError(`unexpected ${args.positionals[0]}`)
    const read = captureConfig(textOf(args, io))
    for (const diagnostic of read.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
    if (!read.ok) return EXIT.usage
    const config = read.value
    if (config.redirectDns && !config.captureAllDns && config.dnsServersV4.length + config.dnsServersV6.length === 0)
      io.err('heddle init: /etc/resolv.conf names no server; DNS is not captured\n')
    const backend = args.boolean('native-nftables') ? 'nftables' : 'iptables'
    if (args.boolean('dry-run')) {
      io.out(printed(config, backend))
      return EXIT.ok
    }
    const probe = probeOf(args, io)
    if (!args.boolean('skip-rule-apply')) {
      const clean = args.boolean('clean') || args.boolean('cleanup-only')
      const options: ApplyOptions = { run: runCommand, backend, force: args.boolean('force-apply') }
      const result = await (clean ? cleanCapture(config, options) : applyCapture(config, options))
      for (const { message } of result.diagnostics) io.err(`heddle init: ${message}\n`)
      if (!result.ok) return EXIT.findings
      io.out(`${result.value}\n`)
      if (clean) return EXIT.ok
    }
    if (probe === undefined) return EXIT.ok
    const ports = [config.proxyPort, config.inboundCapturePort]
    const wrong = await validateCapture({ ...probe, ports, ipv6: config.enableIpv6 })
    if (wrong === undefined) return EXIT.ok
    io.err(`heddle init: ${wrong}\n`)
    return NOT_CAPTURED
  },
}

/** The exit code by which Istio's CNI repair knows pods that nobody has captured. */
const NOT_CAPTURED = 126

function probeOf(args: Arguments, io: Io): { probePort: number; timeoutMs: number } | undefined {
  if (!args.boolean('run-validation') && io.env['RUN_VALIDATION'] !== 'true') return undefined
  const probePort = Number(args.string('iptables-probe-port') ?? io.env['IPTABLES_PROBE_PORT'] ?? 15_002)
  if (!Number.isInteger(probePort) || probePort < 1 || probePort > 65_535)
    throw new UsageError(`--iptables-probe-port takes a port, not ${args.string('iptables-probe-port')}`)
  const timeoutMs = goDuration(args.string('probe-timeout') ?? io.env['PROBE_TIMEOUT'] ?? '5s')
  if (timeoutMs === undefined) throw new UsageError('--probe-timeout takes a duration like 5s')
  return { probePort, timeoutMs }
}

function printed(config: CaptureConfig, backend: 'iptables' | 'nftables'): string {
  if (backend === 'nftables') return nftablesRules(config)
  const { v4, v6 } = iptablesRules(config)
  return v4 + v6
}

function textOf(args: Arguments, io: Io): CaptureText {
  const text: Record<string, string | boolean> = {}
  for (const [name, { field, env = name.toUpperCase().replaceAll('-', '_') }] of Object.entries(VALUES)) {
    const value = args.string(name) ?? io.env[env]
    if (value !== undefined) text[field] = value
  }
  for (const [name, { field, env }] of Object.entries(SWITCHES)) text[field] = args.boolean(name) || io.env[env] === 'true'
  // Istio's default of the one is the other.
  if (!text['proxyUid']) delete text['proxyUid']
  if (!text['proxyGid']) text['proxyGid'] = text['proxyUid'] ?? '1337'
  for (const field of ['proxyPort', 'inboundCapturePort', 'inboundTunnelPort', 'inboundTproxyMark', 'inboundTproxyRouteTable'])
    if (text[field] === '') delete text[field]
  return {
    ...text,
    enableIpv6: hasIpv6(args.boolean('dual-stack') || io.env['ISTIO_AGENT_DUAL_STACK'] === 'true'),
    ...dnsServers(text),
  }
}

/** Whether IPv6 is to be captured, as istio-iptables decides: by the first global address, with dual stack by any. */
function hasIpv6(dualStack: boolean): boolean {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address))
  return (dualStack ? addresses : addresses.slice(0, 1)).some(({ family }) => family === 'IPv6')
}

function dnsServers(text: Readonly<Record<string, string | boolean>>): CaptureText {
  if (text['redirectDns'] !== true || text['captureAllDns'] === true) return {}
  const servers = [...readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^\s*nameserver\s+([^\s%#;]+)/gm)].map(
    ([, server]) => server!,
  )
  return {
    dnsServersV4: servers.filter((server) => !server.includes(':')).join(','),
    dnsServersV6: servers.filter((server) => server.includes(':')).join(','),
  }
}
