import { table } from '../report.js'
import type { Scene } from '../scene.js'

interface Row {
  reporter: string
  source: string
  destination: string
  code: string
  count: number
}

/**
 * Istio's standard counter from each proxy beside what the apps counted themselves (S-TL-01). A caller's proxy counts what its
 * app received; the called one's proxy counts what its app served, and besides that only what it refused itself (403).
 */
export const metrics: Scene = {
  title: 'istio_requests_total, from each proxy, against the apps’ own counters',
  async run(mesh, report) {
    const rows: Row[] = []
    for (const proxy of mesh.proxies) {
      for (const { labels, value } of await mesh.metrics(proxy, 'istio_requests_total')) {
        rows.push({
          reporter: proxy,
          source: labels['source_workload'] ?? '',
          destination: labels['destination_workload'] ?? '',
          code: labels['response_code'] ?? '',
          count: value,
        })
      }
    }
    const sum = (pick: (row: Row) => boolean): number => rows.filter(pick).reduce((total, row) => total + row.count, 0)
    const lines = [['reporter', 'source', 'destination', 'code', 'istio_requests_total']]
    for (const row of rows) lines.push([row.reporter, row.source, row.destination, row.code, String(row.count)])
    console.log(table(lines))
    for (const app of mesh.apps) {
      const { served, received } = await mesh.counters(app)
      for (const code of new Set(Object.keys(received).map((key) => key.split(' ').at(-1) ?? ''))) {
        const own = Object.entries(received).reduce((total, [key, n]) => (key.endsWith(` ${code}`) ? total + n : total), 0)
        const counted = sum((row) => row.reporter === app && row.source === app && row.code === code)
        report.check(own === counted, `${app} received ${own} × ${code}; its proxy counted ${counted}`)
      }
      for (const [key, own] of Object.entries(served)) {
        const [identity = '', code = ''] = key.split(' ')
        const caller = identity.split('/').at(-1) ?? ''
        const counted = sum(
          (row) =>
            row.reporter === app &&
            row.destination === app &&
            row.code === code &&
            (row.source === caller || (caller.includes('gateway') && row.source.includes('gateway'))),
        )
        report.check(own === counted, `${app} served ${own} × ${code} to ${caller}; its proxy counted ${counted}`)
      }
    }
  },
}
