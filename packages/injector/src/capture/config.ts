import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'

/** What is captured, and what is left alone. The names and the defaults are istio-iptables'; lists are lists, `*` is everything. */
export interface CaptureConfig {
  /** Outbound traffic goes here; default 15001. */
  proxyPort: number
  /** Inbound traffic goes here; default 15006. */
  inboundCapturePort: number
  /** HBONE, never captured; default 15008. */
  inboundTunnelPort: number
  /** Users and groups whose traffic is the proxy's own; default 1337. Numbers or names that the system knows. */
  proxyUid: readonly string[]
  proxyGid: readonly string[]
  /** How inbound traffic reaches the proxy; TPROXY keeps the source address. Default REDIRECT. */
  inboundInterceptionMode: 'REDIRECT' | 'TPROXY'
  /** Default 1337. */
  inboundTproxyMark: number
  /** Default 133. */
  inboundTproxyRouteTable: number
  /** Default none. */
  inboundPortsInclude: '*' | readonly number[]
  /** Counts where every inbound port is included. */
  inboundPortsExclude: readonly number[]
  outboundPortsInclude: readonly number[]
  outboundPortsExclude: readonly number[]
  /** CIDRs of both families; default none. */
  outboundIpRangesInclude: '*' | readonly string[]
  outboundIpRangesExclude: readonly string[]
  /** Groups of processes whose outbound traffic is captured; default everybody. One of the two may be given. */
  ownerGroupsInclude: '*' | readonly string[]
  ownerGroupsExclude: readonly string[]
  /** Interfaces of virtual machines or containers in the pod, whose inbound traffic is treated as outbound. */
  rerouteVirtualInterfaces: readonly string[]
  /** Neither inbound nor outbound traffic of these interfaces is captured. */
  excludeInterfaces: readonly string[]
  /** DNS goes to the agent on 15053. */
  redirectDns: boolean
  /** All of port 53, not only what goes to `dnsServers…`. */
  captureAllDns: boolean
  dnsServersV4: readonly string[]
  dnsServersV6: readonly string[]
  /** Drops what conntrack calls invalid, instead of resetting the connection. */
  dropInvalid: boolean
  enableIpv6: boolean
  /** Default 127.0.0.1/32. */
  hostIpv4LoopbackCidr: string
}

export const DEFAULT_CAPTURE: CaptureConfig = {
  proxyPort: 15_001,
  inboundCapturePort: 15_006,
  inboundTunnelPort: 15_008,
  proxyUid: ['1337'],
  proxyGid: ['1337'],
  inboundInterceptionMode: 'REDIRECT',
  inboundTproxyMark: 1337,
  inboundTproxyRouteTable: 133,
  inboundPortsInclude: [],
  inboundPortsExclude: [],
  outboundPortsInclude: [],
  outboundPortsExclude: [],
  outboundIpRangesInclude: [],
  outboundIpRangesExclude: [],
  ownerGroupsInclude: '*',
  ownerGroupsExclude: [],
  rerouteVirtualInterfaces: [],
  excludeInterfaces: [],
  redirectDns: false,
  captureAllDns: false,
  dnsServersV4: [],
  dnsServersV6: [],
  dropInvalid: false,
  enableIpv6: false,
  hostIpv4LoopbackCidr: '127.0.0.1/32',
}

/** Fields of {@link CaptureConfig} as flags and annotations write them: text, lists by commas. Absent fields have their default. */
export type CaptureText = { readonly [F in keyof CaptureConfig]?: CaptureConfig[F] extends boolean ? boolean : string }

type Read = (text: string) => unknown

class Unreadable extends Error {}

const bad = (what: string): never => {
  throw new Unreadable(what)
}
const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
const whole =
  (max: number, what: string): Read =>
  (text) =>
    /^\d{1,10}$/.test(text) && Number(text) <= max ? Number(text) : bad(`${JSON.stringify(text)} is no ${what}`)
const port = whole(65_535, 'port (0 to 65535)') as (text: string) => number
const ports = (text: string): number[] => list(text).map(port)
// What reaches a rule has no space and no sign of a flag: nobody smuggles a second rule into it.
const names =
  (what: string): Read =>
  (text) =>
    list(text).map((item) =>
      /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]*$/.test(item) ? item : bad(`${JSON.stringify(item)} is no ${what}`),
    )
const orAll =
  (read: Read): Read =>
  (text) =>
    text.trim() === '*' ? '*' : read(text)
const cidrs = (text: string): string[] =>
  list(text).map((item) => cidr(item) ?? bad(`${JSON.stringify(item)} is no CIDR like 10.0.0.0/8 or 2001:db8::/32`))
const mode: Read = (text) =>
  text === '' || text === 'REDIRECT' ? 'REDIRECT' : text === 'TPROXY' ? 'TPROXY' : bad('it is REDIRECT or TPROXY')
const addresses =
  (family: 4 | 6): Read =>
  (text) =>
    list(text).map((item) =>
      cidr(`${item}/${family === 4 ? 32 : 128}`) && (family === 6) === item.includes(':')
        ? item
        : bad(`${JSON.stringify(item)} is no IPv${family} address`),
    )

const READERS: { readonly [F in keyof CaptureConfig]?: Read } = {
  proxyPort: port,
  inboundCapturePort: port,
  inboundTunnelPort: port,
  proxyUid: names('user'),
  proxyGid: names('group'),
  inboundInterceptionMode: mode,
  inboundTproxyMark: whole(2 ** 32 - 1, 'mark (32 bits)'),
  inboundTproxyRouteTable: whole(2 ** 32 - 1, 'routing table (32 bits)'),
  inboundPortsInclude: orAll(ports),
  inboundPortsExclude: ports,
  outboundPortsInclude: ports,
  outboundPortsExclude: ports,
  outboundIpRangesInclude: orAll(cidrs),
  outboundIpRangesExclude: cidrs,
  ownerGroupsInclude: orAll(names('group')),
  ownerGroupsExclude: names('group'),
  rerouteVirtualInterfaces: names('interface'),
  excludeInterfaces: names('interface'),
  dnsServersV4: addresses(4),
  dnsServersV6: addresses(6),
  hostIpv4LoopbackCidr: (text) =>
    (/^127\./.test(text) ? cidr(text) : undefined) ?? bad(`${JSON.stringify(text)} is no CIDR in 127.0.0.0/8`),
}

/** Istio's limit on owner groups. */
const MAX_OWNER_GROUPS = 64

/** Reads what flags and annotations say. Fails with `capture.invalid_config`, the path is the field. */
export function captureConfig(text: CaptureText): Result<CaptureConfig> {
  const found: Diagnostic[] = []
  const config: Record<string, unknown> = { ...DEFAULT_CAPTURE }
  for (const [field, value] of Object.entries(text)) {
    if (value === undefined) continue
    try {
      config[field] = typeof value === 'boolean' ? value : READERS[field as keyof CaptureConfig]!(value)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      found.push(problem('capture.invalid_config', field, `${field}: ${error.message}.`))
    }
  }
  const read = config as unknown as CaptureConfig
  const { ownerGroupsInclude: include, ownerGroupsExclude: exclude } = read
  if (include !== '*' && exclude.length > 0)
    found.push(problem('capture.invalid_config', 'ownerGroupsExclude', 'Owner groups are either included or excluded, not both.'))
  if (Math.max(include.length, exclude.length) > MAX_OWNER_GROUPS)
    found.push(problem('capture.invalid_config', 'ownerGroupsInclude', `There are at most ${MAX_OWNER_GROUPS} owner groups.`))
  return found.length > 0 ? fail(...found) : ok(read)
}

/** The CIDR in the notation of the kernel's tools, or undefined. */
function cidr(text: string): string | undefined {
  const [address = '', bits = '', ...more] = text.split('/')
  if (more.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined
  const v6 = address.includes(':')
  if (Number(bits) > (v6 ? 128 : 32)) return undefined
  const good = v6 ? isIpv6(address) : isIpv4(address)
  return good ? `${address.toLowerCase()}/${Number(bits)}` : undefined
}

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

function isIpv6(text: string): boolean {
  const dotted = text.lastIndexOf(':') + 1
  const tail = text.slice(dotted)
  if (tail.includes('.')) return isIpv4(tail) && isIpv6(`${text.slice(0, dotted)}0:0`)
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  return (
    groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? groups.length < 8 : groups.length === 8)
  )
}

/** The ranges of one family, and whether a loopback is among those of either. */
export function ofFamily(ranges: readonly string[], v6: boolean): string[] {
  return ranges.filter((range) => range.includes(':') === v6)
}

/** Somebody wants loopback captured: then the app's own traffic there is not let out. */
export function includesLoopback({ outboundIpRangesInclude: ranges }: CaptureConfig): boolean {
  return ranges !== '*' && ranges.some((range) => range.startsWith('127.') || /^(0*:)*:?0*1\/\d+$/.test(range))
}

/** DNS is captured: asked for, and there is something to capture. */
export function capturesDns({ redirectDns, captureAllDns, dnsServersV4, dnsServersV6 }: CaptureConfig): boolean {
  return redirectDns && (captureAllDns || dnsServersV4.length > 0 || dnsServersV6.length > 0)
}

/** Where the agent answers DNS. */
export const DNS_PORT = 15_053
/** What the proxy's own outbound traffic to this pod is marked with under TPROXY. */
export const OUTBOUND_MARK = 1338
/** Source of the passthrough to the app: let through untouched. */
export const PASSTHROUGH_V4 = '127.0.0.6/32'
export const PASSTHROUGH_V6 = '::6/128'
export const LOOPBACK_V6 = '::1/128'
