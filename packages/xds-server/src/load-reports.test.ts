import { expect, test } from 'vitest'
import { createLoadReports } from './load-reports.js'

const locality = { region: 'eu', zone: 'a' }
const shop = (upstream: object): object => ({
  cluster_name: 'shop',
  cluster_service_name: 'eds',
  upstream_locality_stats: [{ locality, ...upstream }],
})

test('the first message is answered with what to report, how often', () => {
  const stream = createLoadReports({ intervalSeconds: 5, clusters: ['shop'] }).connect()
  expect(stream.reported({ node: { id: 'n' } })).toEqual({
    clusters: ['shop'],
    load_reporting_interval: '5s',
    report_endpoint_granularity: false,
  })
  expect(stream.nodeId).toBe('n')
  expect(stream.reported({ node: { id: 'n' } })).toBeUndefined()
  expect(createLoadReports().connect().reported({})).toMatchObject({ send_all_clusters: true, load_reporting_interval: '10s' })
})

test('reports of all clients add up; what is in progress is what each said last, and goes with it', () => {
  const reports = createLoadReports()
  const [one, other] = [reports.connect(), reports.connect()]
  one.reported({
    cluster_stats: [shop({ total_successful_requests: '3', total_issued_requests: 4, total_requests_in_progress: 2 })],
  })
  one.reported({ cluster_stats: [shop({ total_error_requests: 1, total_requests_in_progress: 1 })] })
  other.reported({ cluster_stats: [shop({ total_successful_requests: 10, total_requests_in_progress: 5, priority: 0 })] })
  const now = (): unknown => reports.loads.current[0]?.localities
  const load = { locality: 'eu/a/', priority: 0, succeeded: 13, failed: 1, issued: 4, metrics: {} }
  expect(now()).toEqual([{ ...load, inProgress: 6 }])
  other.end()
  expect(now()).toEqual([{ ...load, inProgress: 1 }])
})

test('drops by category, and named metrics', () => {
  const reports = createLoadReports()
  const stream = reports.connect()
  for (let i = 0; i < 2; i++) {
    stream.reported({
      cluster_stats: [
        {
          cluster_name: 'shop',
          total_dropped_requests: 3,
          dropped_requests: [{ category: 'lb', dropped_count: 2 }],
          upstream_locality_stats: [
            { load_metric_stats: [{ metric_name: 'queue', total_metric_value: 1.5, num_requests_finished_with_metric: 4 }] },
          ],
        },
      ],
    })
  }
  expect(reports.loads.current).toMatchObject([
    {
      cluster: 'shop',
      service: '',
      dropped: 6,
      droppedBy: { lb: 4 },
      localities: [{ metrics: { queue: { total: 3, requests: 8 } } }],
    },
  ])
})
