import type { FilterDeps } from '../../http/filter.js'
import type { StreamInfo } from '../../http/stream-info.js'

export type ObserverDeps = Pick<FilterDeps, 'clock' | 'stats' | 'node' | 'direction' | 'clusterMetadata'>

/** A network filter that watches what becomes of the connections of its filter chain, and changes nothing. */
export interface NetworkObserver {
  readonly name: string
  observe(deps: ObserverDeps): ConnectionObserver
}

/** A connection, as far as it has come. */
export interface WatchedConnection {
  story(): StreamInfo
  /** It has an upstream, and who is at its ends has been said, as far as anybody says it. */
  readonly settled: boolean
}

/** A connection begins. What is returned is called once, when it is over. */
export type ConnectionObserver = (connection: WatchedConnection) => () => void
