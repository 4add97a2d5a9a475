import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReferenceMesh } from './mesh.js'
import { here } from './stage.js'

/** Who has called whom, from the proxies' own istio_requests_total. Counts only grow: a page makes rates of them. */
export interface Graph {
  readonly nodes: readonly string[]
  readonly edges: readonly Edge[]
}

export interface Edge {
  readonly source: string
  readonly destination: string
  readonly requests: number
  /** Of them answered with 5xx. */
  readonly errors: number
  /** The called one's proxy says that they came over mutual TLS. */
  readonly mutualTls: boolean
}

export async function readGraph(mesh: ReferenceMesh): Promise<Graph> {
  const edges = new Map<string, Edge>()
  const samples = await Promise.all(mesh.proxies.map((proxy) => mesh.metrics(proxy, 'istio_requests_total')))
  for (const { labels, value } of samples.flat()) {
    const [source = 'unknown', destination = 'unknown'] = [labels['source_workload'], labels['destination_workload']]
    const key = `${source} ${destination}`
    const edge = edges.get(key) ?? { source, destination, requests: 0, errors: 0, mutualTls: false }
    // The caller counts each request once, whoever answered it; the called one knows how it came.
    const counted = labels['reporter'] === 'source' ? value : 0
    edges.set(key, {
      ...edge,
      requests: edge.requests + counted,
      errors: edge.errors + (labels['response_code']?.startsWith('5') === true ? counted : 0),
      mutualTls: edge.mutualTls || labels['connection_security_policy'] === 'mutual_tls',
    })
  }
  return { nodes: mesh.proxies, edges: [...edges.values()] }
}

/** A page that draws the graph and follows it. Its address is the loopback's, with a free port. */
export async function serveGraph(mesh: ReferenceMesh): Promise<{ readonly url: string; readonly server: Server }> {
  const page = readFileSync(here('../graph/index.html'))
  const server = createServer((request, response) => {
    if (request.url !== '/graph.json') return void response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    readGraph(mesh)
      .then((graph) => response.setHeader('content-type', 'application/json').end(JSON.stringify(graph)))
      .catch((error: unknown) => response.writeHead(503).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server }
}
