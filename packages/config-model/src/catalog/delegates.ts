import type { HTTPMatchRequest, HTTPRoute } from '../kinds/http-route.js'
import type { VirtualService } from '../kinds/virtual-service.js'

/**
 * The rules of a delegate under the rule that delegates to it (VirtualService.http.delegate), as Istio merges them: each pair of matches that do not
 * contradict each other; what the delegating rule says besides its match goes over the delegate's. A delegate that delegates is not followed.
 */
export function mergeDelegate(root: HTTPRoute, delegate: VirtualService): readonly { rule: HTTPRoute; index: number }[] {
  if (delegate.spec.hosts.length > 0) return []
  const { match: _match, route: _route, delegate: _delegate, name: _name, ...inherited } = root
  return (delegate.spec.http ?? []).flatMap((child, index) => {
    const match = mergeMatches(root.match ?? [], child.match ?? [])
    if (match === undefined || child.delegate !== undefined) return []
    const name = joined(root.name, child.name)
    return [{ rule: { ...child, ...inherited, match, ...(name === '' ? {} : { name }) }, index }]
  })
}

/** Each pair of blocks; undefined: all of them contradict each other. */
function mergeMatches(
  roots: readonly HTTPMatchRequest[],
  children: readonly HTTPMatchRequest[],
): readonly HTTPMatchRequest[] | undefined {
  if (roots.length === 0) return children
  if (children.length === 0) return roots
  const pairs = roots.flatMap((root) =>
    children.filter((child) => !contradicts(root, child)).map((child) => mergeMatch(root, child)),
  )
  return pairs.length === 0 ? undefined : pairs
}

// Istio lets through only what the root's match could take, too: its own prefix, or the very same match.
function contradicts(root: HTTPMatchRequest, child: HTTPMatchRequest): boolean {
  if (root.port !== undefined && child.port !== undefined && root.port !== child.port) return true
  if (root.uri === undefined || child.uri === undefined) return false
  if (!('prefix' in root.uri)) return JSON.stringify(root.uri) !== JSON.stringify(child.uri)
  if ('regex' in child.uri) return true
  return !('exact' in child.uri ? child.uri.exact : child.uri.prefix).startsWith(root.uri.prefix)
}

function mergeMatch(root: HTTPMatchRequest, child: HTTPMatchRequest): HTTPMatchRequest {
  const name = joined(root.name, child.name)
  const both = <K extends 'headers' | 'withoutHeaders' | 'queryParams' | 'sourceLabels'>(key: K): object =>
    root[key] === undefined && child[key] === undefined ? {} : { [key]: { ...root[key], ...child[key] } }
  return {
    ...root,
    ...child,
    ...(name === '' ? {} : { name }),
    ...both('headers'),
    ...both('withoutHeaders'),
    ...both('queryParams'),
    ...both('sourceLabels'),
  }
}

function joined(...names: readonly (string | undefined)[]): string {
  return names.filter((name) => name !== undefined && name !== '').join('-')
}
