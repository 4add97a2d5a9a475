import type { Placement } from './placement.js'

/** How much work one round does. */
export interface Effort {
  /** Seconds before anything counts: JIT, connections, caches. */
  readonly warmupSeconds: number
  readonly measureSeconds: number
  /** Scales what is not timed, such as streams or keys: 1 in a measurement, small in a functional test. */
  readonly scale: number
}

/** What a contender is given for one round: every process it starts is new and placed. */
export interface RoundContext {
  readonly placement: Placement
  readonly effort: Effort
  /** An empty folder of its own, deleted afterwards. */
  readonly folder: string
  /** True: our packages as they were built; false: from sources (functional tests). */
  readonly built: boolean
}

export interface Sample {
  /** In the case's unit. */
  readonly value: number
  /** CPU time that the subject used for one operation, in microseconds; undefined where the system does not tell. */
  readonly cpuMicros: number | undefined
  /** Why this sample says nothing about the subject: the load generator was the limit, requests failed. */
  readonly unusable?: string
  /** More figures by name, shown and never judged: `p99 ms`. */
  readonly more?: Readonly<Record<string, number>>
}

/** Ratios that the design asks for against a peer. */
export interface Goal {
  readonly must: number
  readonly after: number
}

/** One implementation of a case's work. */
export interface Contender {
  /** With its version: `nginx 1.22.1`. */
  readonly name: string
  /** Why it cannot run here; undefined: it can. */
  readonly missing: string | undefined
  readonly goal?: Goal
  /** Rejects with what is wrong: no number of a contender that is wrong counts. */
  check(context: RoundContext): Promise<void>
  measure(context: RoundContext): Promise<Sample>
}

/** The same work, done by ours and by peers. */
export interface BenchCase {
  readonly bench: string
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly ours: Contender
  readonly peers: readonly Contender[]
}

/** What is printed for a pair. Without a verdict the ratio is null and `why` tells. */
export interface Row {
  readonly bench: string
  readonly case: string
  /** Medians of the rounds that count; null: none. */
  readonly ours: number | null
  readonly peer: number | null
  readonly peerName: string
  /** Median of the rounds' own ratios; above 1 is in our favour, whatever the unit. */
  readonly ratio: number | null
  readonly rounds: number
  /** (largest - smallest) / median of the rounds' ratios. */
  readonly spread: number | null
  readonly unit: string
  readonly verdict: 'measured' | 'refused' | 'skipped'
  readonly why?: string
  /** Medians of CPU microseconds for one operation. */
  readonly cpu: { readonly ours: number | null; readonly peer: number | null }
  readonly more: { readonly ours: Readonly<Record<string, number>>; readonly peer: Readonly<Record<string, number>> }
  /** What weakens the row: not pinned, foreign load unknown. */
  readonly notes: readonly string[]
  readonly goal?: Goal
}
