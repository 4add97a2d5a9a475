import type { PluginConfig } from '@heddle/xds-types/stats'
import type { Fields } from '../../config/fields.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { compileStatsConfig } from '../../observe/istio-stats/config.js'
import { createLabeller, type Labeller, PEER_LABELS } from '../../observe/istio-stats/labels.js'
import { createCustomMetrics, createRecorder, recordBuild, type Series } from '../../observe/istio-stats/recorder.js'
import { createReporting } from '../../observe/istio-stats/reporting.js'
import type { NetworkObserver } from './observer.js'

const TCP_METRICS = [
  'tcp_connections_opened_total',
  'tcp_connections_closed_total',
  'tcp_sent_bytes_total',
  'tcp_received_bytes_total',
] as const
const TCP_LABELS = [...PEER_LABELS, 'request_protocol', 'response_flags', 'connection_security_policy'] as const

/**
 * istio.stats of a TCP proxy: Istio's standard TCP metrics. An open connection is told every `tcp_reporting_duration`, from the first time on
 * that it has an upstream and both sides are known; its labels are those that it had then.
 */
export function compileNetworkStats(fields: Fields<PluginConfig>, name: string): NetworkObserver {
  const config = compileStatsConfig(fields)
  return {
    name,
    observe(deps) {
      const labeller = createLabeller(config, deps)
      const find = createRecorder(config, deps, TCP_METRICS, TCP_LABELS)
      const custom = createCustomMetrics(config, deps)
      const reporting = createReporting(deps.clock, config.reportingMs)
      recordBuild(deps.stats, deps.node)
      return (connection) => {
        const told = new Told((info) => find(valuesOf(labeller, info), { info }))
        const stop = reporting.add(() => {
          if (connection.settled) told.update(connection.story())
        })
        return () => {
          stop()
          const info = connection.story()
          told.update(info)
          told.close()
          custom({ info })
        }
      }
    },
  }
}

function valuesOf(labeller: Labeller, info: StreamInfo): string[] {
  const values = labeller.peers(info)
  values.push('tcp', info.flags.size === 0 ? '-' : [...info.flags].join(','), labeller.security(info))
  return values
}

/** What has been told of one connection so far. */
class Told {
  readonly #find: (info: StreamInfo) => Series
  #series: Series | undefined
  #sent = 0
  #received = 0

  constructor(find: (info: StreamInfo) => Series) {
    this.#find = find
  }

  update(info: StreamInfo): void {
    if (this.#series === undefined) {
      this.#series = this.#find(info)
      this.#series[0]!(1)
    }
    const [, , sent, received] = this.#series
    sent!(info.bytesSent - this.#sent)
    received!(info.bytesReceived - this.#received)
    this.#sent = info.bytesSent
    this.#received = info.bytesReceived
  }

  close(): void {
    this.#series?.[1]?.(1)
  }
}
