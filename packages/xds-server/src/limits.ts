/** What one server lets its clients use. Whoever asks for more is refused with RESOURCE_EXHAUSTED, and nobody else notices. */
export interface Limits {
  /** Open streams; default 100,000, as istiod's. With several replicas `proxies / replicas` and a margin makes clients rebalance. */
  readonly streams: number
  /** Open streams of one proved identity; default 10,000: the replicas of a workload share theirs. The anonymous one is not limited. */
  readonly streamsPerIdentity: number
  /** New streams a second, sustained; default 250. Clients that are refused come back with their back-off. */
  readonly newStreamsPerSecond: number
  /** New streams at once above that rate; default 1,000. */
  readonly newStreamsBurst: number
  /** Names that one stream subscribes to, over all types; default 100,000. */
  readonly namesPerStream: number
  /**
   * The most that the resources of one response may hold, bytes; default without end, as Envoy takes any size. gRPC's clients take 4 MiB.
   * More is split into several responses, each sent when the one before was answered; what cannot be split is told and not sent.
   */
  readonly responseBytes: number
  /** How long a client may read nothing, or leave a response unanswered, before its stream is closed; milliseconds, default 120,000. */
  readonly stuckAfterMs: number
}

export const DEFAULT_LIMITS: Limits = {
  streams: 100_000,
  streamsPerIdentity: 10_000,
  newStreamsPerSecond: 250,
  newStreamsBurst: 1_000,
  namesPerStream: 100_000,
  responseBytes: Number.POSITIVE_INFINITY,
  stuckAfterMs: 120_000,
}
