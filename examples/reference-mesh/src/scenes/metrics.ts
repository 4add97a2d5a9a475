import { type Report, table } from '../report.js'
import type { Scene } from '../scene.js'

interface Row {
  /** The workload whose proxy counted. */
  reporter: string
  /** `source` or `destination`: which end of the call it was. */
  side: string
  source: string
  destination: string
  code: string
  count: number
}

/**
 * Istio's standard counter from each proxy beside what the apps counted themselves (S-TL-01). A caller's proxy counts what its
 * app received; the called one's proxy counts what its app served, and besides that only what it refused itself (401, 403).
 */
export const metrics: Scene = {
  title: 'istio_requests_total, from each proxy, against the apps’ own counters',
  async run(mesh, report) {
    const rows: Row[] = []
    for (const proxy of mesh.proxies) {
      for (const { labels, value } of await mesh.metrics(proxy, 'istio_requests_total')) {
        rows.push({
          reporter: proxy,
          side: labels['reporter'] ?? '',
          source: labels['source_workload'] ?? '',
          destination: labels['destination_workload'] ?? '',
          code: labels['response_code'] ?? '',
          count: value,
        })
      }
    }
    report.check(rows.length > 0, `${rows.length} series from ${mesh.proxies.length} proxies`)
    const lines = [['reporter', 'source', 'destination', 'code', 'istio_requests_total']]
    for (const row of rows) lines.push([row.reporter, row.source, row.destination, row.code, String(row.count)])
    console.log(table(lines))
    for (const app of mesh.apps) {
      const { served, received } = await mesh.counters(app)
      const inward = rows.filter((row) => row.reporter === app && row.side === 'destination')
      const outward = rows.filter((row) => row.reporter === app && row.side === 'source')
      compare(
        report,
        `${app} received`,
        byCode(received),
        totals(outward, ({ code }) => code),
      )
      // What the proxy refused itself never reached the app.
      const passed = inward.filter(({ code }) => code !== '401' && code !== '403')
      compare(
        report,
        `${app} served`,
        byCaller(served),
        totals(passed, ({ source, code }) => `${code} to ${source}`),
      )
    }
  },
}

type Totals = Readonly<Record<string, number>>

/** Every key of either side: what only one of them has counted is a miss. */
function compare(report: Report, what: string, own: Totals, counted: Totals): void {
  for (const key of new Set([...Object.keys(own), ...Object.keys(counted)])) {
    const [mine = 0, proxys = 0] = [own[key], counted[key]]
    report.check(mine === proxys, `${what} ${mine} × ${key}; its proxy counted ${proxys}`)
  }
}

function totals(rows: readonly Row[], keyOf: (row: Row) => string): Totals {
  const sums: Record<string, number> = {}
  for (const row of rows) sums[keyOf(row)] = (sums[keyOf(row)] ?? 0) + row.count
  return sums
}

/** `host code` -> `code`. */
function byCode(received: Totals): Totals {
  const sums: Record<string, number> = {}
  for (const [key, n] of Object.entries(received)) {
    const code = key.split(' ').at(-1) ?? ''
    sums[code] = (sums[code] ?? 0) + n
  }
  return sums
}

/** `spiffe://…/sa/caller code` -> `code to caller`: service accounts have their workload's name here. */
function byCaller(served: Totals): Totals {
  return Object.fromEntries(
    Object.entries(served).map(([key, n]) => {
      const [identity = '', code = ''] = key.split(' ')
      return [`${code} to ${identity.split('/').at(-1)}`, n]
    }),
  )
}
