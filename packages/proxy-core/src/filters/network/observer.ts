import type { FilterDeps } from '../../http/filter.js'
import type { StreamInfo } from '../../http/stream-info.js'

export type ObserverDeps = Pick<FilterDeps, 'clock' | 'stats' | 'node' | 'direction' | 'clusterMetadata'>

/** A network filter that watches what becomes of the connections of its filter chain, and changes nothing. */
export interface NetworkObserver {
  readonly name: string
  observe(deps: ObserverDeps): ConnectionObserver
}

/** A connection begins; `story` tells how far it has come. What is returned is called once, when it is over. */
export type ConnectionObserver = (story: () => StreamInfo) => () => void
