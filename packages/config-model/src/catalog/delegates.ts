import type { StringMatch } from '../kinds/common.js'
import type { HTTPMatchRequest, HTTPRoute } from '../kinds/http-route.js'
import type { VirtualService } from '../kinds/virtual-service.js'

/**
 * The rules of a delegate under the rule that delegates to it (VirtualService.http.delegate), as Istio merges them: each pair of matches that do not
 * contradict each other; what the delegating rule says besides its route and match holds where the delegate is silent. A rule of the delegate with a
 * match that contradicts all of the root's is left out. One level: a delegate does not delegate.
 */
export function mergeDelegate(root: HTTPRoute, delegate: VirtualService): readonly { rule: HTTPRoute; index: number }[] {
  const { match: _match, route: _route, delegate: _delegate, name: _name, ...inherited } = root
  return (delegate.spec.http ?? []).flatMap((child, index) => {
    const match = mergeMatches(root.match ?? [], child.match ?? [])
    if (match === undefined) return []
    return [{ rule: { ...inherited, ...child, match, ...mergedName(root, child) }, index }]
  })
}

/** Each pair of a root's and a delegate's block, unless they contradict; undefined: one of the delegate's has no pair. */
function mergeMatches(
  roots: readonly HTTPMatchRequest[],
  children: readonly HTTPMatchRequest[],
): readonly HTTPMatchRequest[] | undefined {
  if (roots.length === 0) return children
  if (children.length === 0) return roots
  const pairs = children.map((child) => roots.filter((root) => !contradicts(root, child)).map((root) => mergeMatch(root, child)))
  return pairs.some((list) => list.length === 0) ? undefined : pairs.flat()
}

const TEXTS = ['uri', 'scheme', 'method', 'authority'] as const
const MAPS = ['headers', 'withoutHeaders', 'queryParams'] as const

/** A delegate's block must ask for no less than the root's does. */
function contradicts(root: HTTPMatchRequest, child: HTTPMatchRequest): boolean {
  return (
    TEXTS.some((field) => textContradicts(root[field], child[field])) ||
    MAPS.some((field) =>
      Object.entries(child[field] ?? {}).some(([name, match]) => textContradicts(root[field]?.[name], match)),
    ) ||
    (root.ignoreUriCase ?? false) !== (child.ignoreUriCase ?? false) ||
    (isPort(root.port) && isPort(child.port) && root.port !== child.port) ||
    (isSome(root.sourceNamespace) && root.sourceNamespace !== child.sourceNamespace) ||
    Object.entries(child.sourceLabels ?? {}).some(([name, value]) => (root.sourceLabels?.[name] ?? value) !== value) ||
    (isSome(root.gateways) && (child.gateways ?? []).some((gateway) => root.gateways?.includes(gateway) !== true))
  )
}

const isPort = (port: number | undefined): boolean => port !== undefined && port > 0
const isSome = (value: string | readonly string[] | undefined): boolean => value !== undefined && value.length > 0

function textContradicts(root: StringMatch | undefined, child: StringMatch | undefined): boolean {
  // A match by presence only.
  if (root === undefined || child === undefined || Object.keys(root).length === 0 || Object.keys(child).length === 0) return false
  if ('regex' in root || 'regex' in child) return true
  if ('exact' in root) return !('exact' in child) || child.exact !== root.exact
  return !('exact' in child ? child.exact : child.prefix).startsWith(root.prefix)
}

function mergeMatch(root: HTTPMatchRequest, child: HTTPMatchRequest): HTTPMatchRequest {
  return {
    ...root,
    ...child,
    ...mergedName(root, child),
    headers: { ...root.headers, ...child.headers },
    withoutHeaders: { ...root.withoutHeaders, ...child.withoutHeaders },
    queryParams: { ...root.queryParams, ...child.queryParams },
    ...(root.sourceLabels === undefined && child.sourceLabels === undefined
      ? {}
      : { sourceLabels: { ...root.sourceLabels, ...child.sourceLabels } }),
  }
}

function mergedName(root: { readonly name?: string }, child: { readonly name?: string }): { name?: string } {
  const name = [root.name, child.name].filter((one) => one !== undefined && one !== '').join('-')
  return name === '' ? {} : { name }
}
