import type { StringMatch } from '../kinds/common.js'
import type { HTTPMatchRequest } from '../kinds/http-route.js'
import type { L4MatchAttributes, TLSMatchAttributes } from '../kinds/virtual-service.js'
import { selects } from '../names/labels.js'
import type { Covers, TextMatch } from './regex/covers.js'

/** What every path begins with: a match without `uri` takes these. */
const ANY_PATH: TextMatch = { match: { prefix: '/' } }
const ANY_TEXT: TextMatch = { match: { regex: '.*' } }

type Named = Readonly<Record<string, StringMatch | undefined>>

/** What the matches of HTTP, TLS and TCP routes have in common. */
interface SourceMatch {
  readonly port?: number
  readonly gateways?: readonly string[]
  readonly sourceLabels?: Readonly<Record<string, string>>
  readonly sourceNamespace?: string
}

/** The gateways of a VirtualService, as written: none is the mesh. */
export function gatewaysOf({ gateways = [] }: { readonly gateways?: readonly string[] }): readonly string[] {
  return gateways.length === 0 ? ['mesh'] : gateways
}

/** Whether an earlier match takes every request that a later one takes. `gateways`: of the VirtualService. */
export function coversHttp(
  earlier: HTTPMatchRequest,
  later: HTTPMatchRequest,
  gateways: readonly string[],
  covers: Covers,
): boolean {
  // Cheap questions first.
  return (
    coversSource(earlier, later, gateways) &&
    coversNames(earlier.headers, later.headers) &&
    coversNames(earlier.queryParams, later.queryParams) &&
    coversNames(earlier.withoutHeaders, later.withoutHeaders) &&
    coversText(earlier.method, later.method, ANY_TEXT, covers) &&
    coversText(earlier.scheme, later.scheme, ANY_TEXT, covers) &&
    coversText(earlier.authority, later.authority, ANY_TEXT, covers) &&
    coversUri(earlier, later, covers) &&
    coversValues(earlier.headers, later.headers, covers) &&
    coversValues(earlier.queryParams, later.queryParams, covers) &&
    excludesNoMore(earlier.withoutHeaders, later.withoutHeaders, covers)
  )
}

/** As {@link coversHttp}, of TLS routes. */
export function coversTls(earlier: TLSMatchAttributes, later: TLSMatchAttributes, gateways: readonly string[]): boolean {
  const { sniHosts = [] } = earlier
  return (
    coversSource(earlier, later, gateways) &&
    coversSubnets(earlier.destinationSubnets, later.destinationSubnets) &&
    (sniHosts.length === 0 || (later.sniHosts ?? ['']).every((host) => sniHosts.some((one) => coversHost(one, host))))
  )
}

/** As {@link coversHttp}, of TCP routes. */
export function coversTcp(earlier: L4MatchAttributes, later: L4MatchAttributes, gateways: readonly string[]): boolean {
  return (
    coversSource(earlier, later, gateways) &&
    coversSubnets(earlier.destinationSubnets, later.destinationSubnets) &&
    (earlier.sourceSubnet === undefined || earlier.sourceSubnet === later.sourceSubnet)
  )
}

function coversSource(earlier: SourceMatch, later: SourceMatch, gateways: readonly string[]): boolean {
  const of = (match: SourceMatch): readonly string[] => ((match.gateways ?? []).length > 0 ? (match.gateways ?? []) : gateways)
  return (
    (!earlier.port || earlier.port === later.port) &&
    of(later).every((gateway) => of(earlier).includes(gateway)) &&
    selects(earlier.sourceLabels, later.sourceLabels ?? {}) &&
    (!earlier.sourceNamespace || earlier.sourceNamespace === later.sourceNamespace)
  )
}

function coversUri(earlier: HTTPMatchRequest, later: HTTPMatchRequest, covers: Covers): boolean {
  if (earlier.uri === undefined) return true
  const outer = { match: earlier.uri, ignoreCase: earlier.ignoreUriCase === true }
  const inner = later.uri === undefined ? ANY_PATH : { match: later.uri, ignoreCase: later.ignoreUriCase === true }
  return covers(outer, inner)
}

function coversText(
  earlier: StringMatch | undefined,
  later: StringMatch | undefined,
  otherwise: TextMatch,
  covers: Covers,
): boolean {
  return earlier === undefined || covers({ match: earlier }, later === undefined ? otherwise : { match: later })
}

function coversNames(earlier: Named = {}, later: Named = {}): boolean {
  const names = new Set(Object.keys(later).map((name) => name.toLowerCase()))
  return Object.keys(earlier).every((name) => names.has(name.toLowerCase()))
}

function coversValues(earlier: Named = {}, later: Named = {}, covers: Covers): boolean {
  const values = byName(later)
  return Object.entries(earlier).every(([name, match]) => coversText(match, values[name.toLowerCase()], ANY_TEXT, covers))
}

// What the earlier match excludes, the later one has to exclude too.
function excludesNoMore(earlier: Named = {}, later: Named = {}, covers: Covers): boolean {
  const values = byName(later)
  return Object.entries(earlier).every(([name, match]) => coversText(values[name.toLowerCase()], match, ANY_TEXT, covers))
}

function byName(matches: Named): Named {
  return Object.fromEntries(Object.entries(matches).map(([name, match]) => [name.toLowerCase(), match]))
}

function coversHost(earlier: string, later: string): boolean {
  if (earlier === '*') return true
  return earlier.startsWith('*.') ? later.endsWith(earlier.slice(1)) : earlier === later
}

function coversSubnets(earlier: readonly string[] = [], later: readonly string[] = []): boolean {
  return earlier.length === 0 || (later.length > 0 && later.every((subnet) => earlier.includes(subnet)))
}
