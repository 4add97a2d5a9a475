import type { MeshService, ServicePort } from '@heddle/config-model'
import type { Matcher, Matcher_OnMatch } from '@heddle/xds-types/xds/type/matcher/v3'
import { parseRange } from '../addresses.js'
import { type Build, vips } from '../build.js'
import { plainHttpAlpn } from '../listeners/filter-chain-match.js'
import { typed } from '../message.js'

/** The chains of a port, by name: one, or two where the first bytes decide. */
export interface ChainChoice {
  readonly tcp?: string
  readonly http?: string
}

const INPUTS = 'envoy.extensions.matching.common_inputs.network.v3'

/** Which chain a connection takes: by the service's address, then its port; workloads by their own address, any port. */
export function chainMatcher(
  build: Build,
  services: readonly MeshService[],
  choices: ReadonlyMap<ServicePort, ChainChoice>,
  workloads: readonly string[],
  direct: ChainChoice,
): Matcher {
  const byService = services.flatMap((service) => {
    const ports = service.ports.flatMap((port) => {
      const choice = choices.get(port)
      return choice === undefined ? [] : [[String(port.number), onMatch(build, choice)] as const]
    })
    const ranges = rangesOf(vips(service))
    if (ports.length === 0 || ranges.length === 0) return []
    const matcher: Matcher = {
      matcher_tree: { input: input('port', 'DestinationPortInput'), exact_match_map: { map: Object.fromEntries(ports) } },
    }
    return [{ ranges, on_match: { matcher } }]
  })
  const byWorkload = workloads.length === 0 ? [] : [{ ranges: rangesOf(workloads), on_match: onMatch(build, direct) }]
  return {
    matcher_tree: {
      input: input('ip', 'DestinationIPInput'),
      custom_match: {
        name: 'ip',
        typed_config: typed('xds.type.matcher.v3.IPMatcher', { range_matchers: [...byService, ...byWorkload] }),
      },
    },
  }
}

function onMatch(build: Build, { tcp, http }: ChainChoice): Matcher_OnMatch {
  if (tcp === undefined || http === undefined) return toChain(tcp ?? http ?? '')
  return {
    matcher: {
      matcher_tree: {
        input: input('application-protocol', 'ApplicationProtocolInput'),
        exact_match_map: { map: Object.fromEntries(plainHttpAlpn(build).map((alpn) => [`'${alpn}'`, toChain(http)])) },
      },
      on_no_match: toChain(tcp),
    },
  }
}

function toChain(name: string): Matcher_OnMatch {
  return { action: { name, typed_config: typed('google.protobuf.StringValue', { value: name }) } }
}

function input(name: string, type: string): { name: string; typed_config: ReturnType<typeof typed> } {
  return { name, typed_config: typed(`${INPUTS}.${type}`) }
}

function rangesOf(addresses: readonly string[]): { address_prefix: string; prefix_len: number }[] {
  return addresses.flatMap((address) => {
    const range = parseRange(address)
    return range === undefined ? [] : [{ address_prefix: range.address, prefix_len: range.length }]
  })
}
