import type { EnvoyConfigObjectPatch, EnvoyFilterApplyTo } from '../../kinds/envoy-filter.js'
import type { Analyzer } from '../analyzer.js'
import type { MessageName } from '../messages.js'

const REPLACEABLE: readonly EnvoyFilterApplyTo[] = ['NETWORK_FILTER', 'HTTP_FILTER', 'VIRTUAL_HOST']

/** Patches that do nothing, or that depend on what else has been patched before. */
export const envoyFilterPatches: Analyzer = {
  name: 'envoyfilter.EnvoyPatchAnalyzer',
  summary: 'EnvoyFilter operations that are ignored, or that depend on the order of patches',
  messages: [
    'EnvoyFilterUsesAddOperationIncorrectly',
    'EnvoyFilterUsesRemoveOperationIncorrectly',
    'EnvoyFilterUsesReplaceOperationIncorrectly',
    'EnvoyFilterUsesRelativeOperation',
    'EnvoyFilterUsesRelativeOperationWithProxyVersion',
  ],
  analyze(context, report) {
    // Names that some earlier patch had for certain proxy versions only.
    const versioned = new Set<string>()
    for (const filter of context.of('EnvoyFilter')) {
      const told = new Set<MessageName>()
      for (const [p, patch] of (filter.spec.configPatches ?? []).entries()) {
        const name = nameOf(patch)
        const found = judge(patch, (filter.spec.priority ?? 0) !== 0, versioned.has(name))
        // The first patch speaks for all of its filter.
        if (found !== undefined && !told.has(found)) report(found, filter, `spec.configPatches[${p}]`)
        if (found !== undefined) told.add(found)
        if ((patch.match?.proxy?.proxyVersion ?? '') !== '') versioned.add(name)
      }
    }
  },
}

function judge({ applyTo, patch }: EnvoyConfigObjectPatch, prioritised: boolean, versioned: boolean): MessageName | undefined {
  const ofRoutes = applyTo === 'ROUTE_CONFIGURATION' || applyTo === 'HTTP_ROUTE'
  const relative = versioned ? 'EnvoyFilterUsesRelativeOperationWithProxyVersion' : 'EnvoyFilterUsesRelativeOperation'
  switch (patch.operation) {
    case 'ADD':
      return ofRoutes ? 'EnvoyFilterUsesAddOperationIncorrectly' : undefined
    case 'REMOVE':
      if (ofRoutes) return 'EnvoyFilterUsesRemoveOperationIncorrectly'
      break
    case 'REPLACE':
      if (!REPLACEABLE.includes(applyTo)) return 'EnvoyFilterUsesReplaceOperationIncorrectly'
      break
    case 'INSERT_BEFORE':
    case 'INSERT_AFTER':
      break
    default:
      return undefined
  }
  return prioritised ? undefined : relative
}

// What is patched in, else the filter beside which it goes.
function nameOf({ patch, match }: EnvoyConfigObjectPatch): string {
  if (patch.value === undefined || Object.keys(patch.value).length === 0) return ''
  const { name } = patch.value
  return typeof name === 'string' ? name : (match?.listener?.filterChain?.filter?.name ?? '')
}
