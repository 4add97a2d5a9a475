/** Every cycle of a directed graph's strongly connected parts, one path each; empty when there is none. */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[][] = []
  const path: string[] = []
  const visit = (node: string): void => {
    if (state.get(node) === 'done') return
    if (state.get(node) === 'open') {
      cycles.push([...path.slice(path.indexOf(node)), node])
      return
    }
    state.set(node, 'open')
    path.push(node)
    for (const next of graph.get(node) ?? []) visit(next)
    path.pop()
    state.set(node, 'done')
  }
  for (const node of graph.keys()) visit(node)
  return cycles
}
