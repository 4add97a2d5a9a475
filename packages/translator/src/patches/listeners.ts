import type { EnvoyFilterContext } from '@heddle/config-model'
import type { FilterChain, Listener, ListenerFilter } from '@heddle/xds-types/envoy/config/listener/v3'
import { FilterChain as FilterChainType, Listener as ListenerType } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { added, merged, touched } from './apply.js'
import { mergedSocket } from './clusters.js'
import { editList, merges } from './edit-list.js'
import { type Patch, type Patches, patchesOf } from './envoy-filters.js'
import { mergedFilter, patchedFilters } from './filters.js'
import { chainMatches, filterNames, listenerMatches } from './listener-match.js'

/** Listeners after LISTENER, LISTENER_FILTER, FILTER_CHAIN, NETWORK_FILTER and HTTP_FILTER patches, and those of routes for inline route configurations. */
export function patchedListeners(
  build: Build,
  context: EnvoyFilterContext,
  list: readonly Listener[],
  adds = true,
): readonly Listener[] {
  const patches = patchesOf(build)
  if (patches.empty) return list
  const out = list.flatMap(
    (listener) =>
      build.memo.of('patched listener', [context, listener], () => patched(build, context, listener, patchesOf(build))) ?? [],
  )
  if (!adds) return out
  const own = patches
    .of('LISTENER', context)
    .filter(({ operation, match }) => operation === 'ADD' && (context !== 'SIDECAR_INBOUND' || match.context === context))
  return [...out, ...own.map((patch) => added<Listener>(build, patch))]
}

function patched(build: Build, context: EnvoyFilterContext, given: Listener, patches: Patches): Listener | undefined {
  let listener = given
  for (const patch of patches.of('LISTENER', context)) {
    if (!listenerMatches(listener, patch)) continue
    if (patch.operation === 'REMOVE') return undefined
    listener = merged(build, ListenerType, listener, patch)
  }
  return withChains(build, context, withListenerFilters(build, listener, patches.of('LISTENER_FILTER', context)), patches)
}

function withListenerFilters(build: Build, given: Listener, patches: readonly Patch[]): Listener {
  let listener = given
  for (const patch of patches.filter((p) => listenerMatches(given, p))) {
    const { listener: name } = filterNames(patch)
    const before: readonly ListenerFilter[] = listener.listener_filters ?? []
    // Nothing is replaced, removed or merged that was not named.
    const after = merges(patch)
      ? before.map((f) => (f.name === name ? mergedFilter(build, f, patch, false) : f))
      : editList(before, { ...patch, value: added(build, patch) }, name !== undefined, (f) => f.name === name)
    const { listener_filters: _, ...rest } = listener
    if (after !== before)
      listener = touched(build, listener, after.length === 0 ? rest : { ...rest, listener_filters: after }, patch)
  }
  return listener
}

function withChains(build: Build, context: EnvoyFilterContext, listener: Listener, patches: Patches): Listener {
  const chainPatches = patches.of('FILTER_CHAIN', context).filter((p) => listenerMatches(listener, p))
  const before = listener.filter_chains ?? []
  const patch = (chain: FilterChain): FilterChain | undefined =>
    patchedChain(build, context, listener, chain, patches, chainPatches)
  const own = chainPatches.filter(({ operation }) => operation === 'ADD').map((p) => added<FilterChain>(build, p))
  const after = [...before.flatMap((chain) => patch(chain) ?? []), ...own].filter((chain) => (chain.filters ?? []).length > 0)
  const byDefault = listener.default_filter_chain === undefined ? undefined : patch(listener.default_filter_chain)
  const same = after.length === before.length && after.every((chain, i) => chain === before[i])
  if (same && byDefault === listener.default_filter_chain) return listener
  const { default_filter_chain: _, ...rest } = listener
  return build.origins.copy(listener, {
    ...rest,
    filter_chains: after,
    ...(byDefault === undefined ? {} : { default_filter_chain: byDefault }),
  })
}

function patchedChain(
  build: Build,
  context: EnvoyFilterContext,
  listener: Listener,
  given: FilterChain,
  patches: Patches,
  chainPatches: readonly Patch[],
): FilterChain | undefined {
  let chain = given
  for (const patch of chainPatches) {
    if (!chainMatches(listener, chain, patch)) continue
    if (patch.operation === 'REMOVE') return undefined
    if (merges(patch)) chain = withSocket(build, chain, patch) ?? merged(build, FilterChainType, chain, patch)
  }
  const here = (applyTo: 'NETWORK_FILTER' | 'HTTP_FILTER'): readonly Patch[] =>
    patches.of(applyTo, context).filter((p) => listenerMatches(listener, p) && chainMatches(listener, chain, p))
  const before = chain.filters ?? []
  const after = patchedFilters(build, context, before, here('NETWORK_FILTER'), here('HTTP_FILTER'))
  const { filters: _, ...rest } = chain
  return after === before ? chain : build.origins.copy(chain, after.length === 0 ? rest : { ...rest, filters: after })
}

/** Of a patch with a transport socket of the chain's kind only the socket counts. */
function withSocket(build: Build, chain: FilterChain, patch: Patch): FilterChain | undefined {
  const own = patch.value['transport_socket'] as FilterChain['transport_socket']
  const socket = chain.transport_socket
  if (own === undefined || socket === undefined || own.name !== socket.name) return undefined
  return touched(build, chain, { ...chain, transport_socket: mergedSocket(build, socket, own) }, patch)
}
