import { createMetricsRegistry, type MetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { createFakeClock, type FakeClock } from '@heddle/runtime/testing'
import type { PluginConfig } from '@heddle/xds-types/stats'
import { beforeEach, expect, test } from 'vitest'
import { compileMessage } from '../../config/fields.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { deps, must, stream } from '../http/testing.js'
import { compileNetworkStats } from './istio-stats.js'
import type { ConnectionObserver, ObserverDeps, WatchedConnection } from './observer.js'

let clock: FakeClock
let stats: MetricsRegistry
beforeEach(() => {
  clock = createFakeClock()
  stats = createMetricsRegistry()
})

function observer(config: PluginConfig = {}, own: Partial<ObserverDeps> = {}): ConnectionObserver {
  const compiled = must(compileMessage(config, 'c', (fields) => compileNetworkStats(fields, 'istio.stats')))
  return compiled.observe({ ...deps(), clock, stats, ...own })
}

/** Values of the four metrics that there are, with the labels that `pick` finds. */
const values = (pick: RegExp = /./): Record<string, number> =>
  Object.fromEntries(
    [...renderPrometheus(stats).matchAll(/^istio_tcp_(\w+)_total(\{.*\}) (\d+)$/gm)]
      .filter(([, , labels = '']) => pick.test(labels))
      .map(([, name, , value]) => [name, Number(value)]),
  )

function connection(info: Partial<StreamInfo> = {}): StreamInfo {
  return Object.assign(stream().info, { bytesReceived: 0, bytesSent: 0, status: 0, authority: '' }, info)
}

const watch = (info: StreamInfo): WatchedConnection => ({ story: () => info, settled: true })

test('an open connection tells every five seconds what has come since, once it has an upstream', () => {
  const info = connection()
  const watched = { story: () => info, settled: false }
  const over = observer()(watched)
  clock.advance(5_000)
  expect(values()).toEqual({})
  watched.settled = true
  Object.assign(info, { bytesReceived: 10, bytesSent: 20 })
  clock.advance(5_000)
  expect(values()).toEqual({ connections_opened: 1, connections_closed: 0, sent_bytes: 20, received_bytes: 10 })
  info.bytesReceived = 15
  clock.advance(5_000)
  expect(values()).toEqual({ connections_opened: 1, connections_closed: 0, sent_bytes: 20, received_bytes: 15 })
  info.bytesSent = 100
  over()
  expect(values()).toEqual({ connections_opened: 1, connections_closed: 1, sent_bytes: 100, received_bytes: 15 })
  expect(clock.pending).toBe(0)
})

test('a connection that ends before is told whole, with why it failed', () => {
  const info = connection({ flags: new Set(['UF', 'URX']) as unknown as StreamInfo['flags'] })
  observer()(watch(info))()
  const told = { connections_opened: 1, connections_closed: 1, sent_bytes: 0, received_bytes: 0 }
  expect(values(/request_protocol="tcp",response_flags="UF,URX",connection_security_policy="none"\}$/)).toEqual(told)
  expect(renderPrometheus(stats)).not.toContain('response_code')
})

test('a client tells of the service behind the cluster', () => {
  const clusterMetadata = () => ({ istio: { services: [{ host: 'db.data.svc', name: 'db', namespace: 'data' }] } })
  observer({}, { direction: 'OUTBOUND', clusterMetadata })(watch(connection({ cluster: 'outbound|5432||db' })))()
  expect(values(/reporter="source".*destination_service="db.data.svc".*destination_service_namespace="data"/)).toMatchObject({
    connections_opened: 1,
  })
})

test('metrics are dropped, and get tags, as those of HTTP', () => {
  const metrics = [
    { name: 'tcp_sent_bytes_total', drop: true },
    { name: 'tcp_received_bytes_total', dimensions: { port: 'string(destination.port)', response_code: "'none'" } },
  ]
  const info = connection({ bytesReceived: 7, downstreamLocal: '10.0.0.1:5432', startTime: 0 })
  observer({ metrics })(watch(info))()
  expect(values()).toEqual({ connections_opened: 1, connections_closed: 1, received_bytes: 7 })
  expect(values(/port="5432"/)).toEqual({ received_bytes: 7 })
})
