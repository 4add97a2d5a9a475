/** Envoy's response flags by their short names (docs: access_log/usage, %RESPONSE_FLAGS_LONG%). */
const LONG: Readonly<Record<string, string>> = {
  DC: 'DownstreamConnectionTermination',
  DF: 'DnsResolutionFailed',
  DI: 'DelayInjected',
  DO: 'DropOverLoad',
  DPE: 'DownstreamProtocolError',
  DR: 'DownstreamRemoteReset',
  DT: 'DurationTimeout',
  FI: 'FaultInjected',
  IH: 'InvalidEnvoyRequestHeaders',
  LH: 'FailedLocalHealthCheck',
  LR: 'LocalReset',
  NC: 'NoClusterFound',
  NFCF: 'NoFilterConfigFound',
  NR: 'NoRouteFound',
  OM: 'OverloadManagerTerminated',
  RFCF: 'ResponseFromCacheFilter',
  RL: 'RateLimited',
  RLSE: 'RateLimitServiceError',
  SI: 'StreamIdleTimeout',
  UAEX: 'UnauthorizedExternalService',
  UC: 'UpstreamConnectionTermination',
  UF: 'UpstreamConnectionFailure',
  UH: 'NoHealthyUpstream',
  UMSDR: 'UpstreamMaxStreamDurationReached',
  UO: 'UpstreamOverflow',
  UPE: 'UpstreamProtocolError',
  UR: 'UpstreamRemoteReset',
  URX: 'UpstreamRetryLimitExceeded',
  UT: 'UpstreamRequestTimeout',
}

export const longFlag = (flag: string): string => LONG[flag] ?? flag

/** The flags of one request, in the order in which they came, each once; a Set is one. */
export interface ResponseFlags extends Iterable<string> {
  readonly size: number
  add(flag: string): unknown
  has(flag: string): boolean
}

/** Most requests have none. */
export function createResponseFlags(): ResponseFlags {
  return new Flags()
}

const NONE: readonly string[] = []

class Flags implements ResponseFlags {
  #flags: Set<string> | undefined

  get size(): number {
    return this.#flags === undefined ? 0 : this.#flags.size
  }

  add(flag: string): void {
    this.#flags ??= new Set()
    this.#flags.add(flag)
  }

  has(flag: string): boolean {
    return this.#flags?.has(flag) === true
  }

  [Symbol.iterator](): Iterator<string> {
    return (this.#flags ?? NONE)[Symbol.iterator]()
  }
}
