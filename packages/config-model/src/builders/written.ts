/** A duration as Istio's YAML has it: `2s`, `100ms`, `1.5h`. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'h'}`

/** The fields that are durations, in every kind of Istio's. */
type DurationField =
  | 'backoff'
  | 'baseEjectionTime'
  | 'budgetInterval'
  | 'connectTimeout'
  | 'duration'
  | 'exponentialDelay'
  | 'fixedDelay'
  | 'idleTimeout'
  | 'interval'
  | 'maxAge'
  | 'maxConnectionDuration'
  | 'perTryTimeout'
  | 'reportingInterval'
  | 'time'
  | 'timeout'
  | 'ttl'

/** A spec as people write it: as in YAML, with durations as text. */
export type Written<T> = T extends string | number | boolean | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Written<E>[]
    : {
        [K in keyof T]: K extends DurationField
          ? NonNullable<T[K]> extends number
            ? DurationText
            : Written<T[K]>
          : Written<T[K]>
      }

/** What an object is called. */
export interface DraftMetadata {
  readonly name: string
  /** Default: what {@link build} is told, else `default`. */
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** An object that somebody has written and nobody has judged. `N` are the names of its subsets, for a DestinationRule. */
export interface Draft<K extends string = string, N extends string = never> {
  readonly apiVersion: string
  readonly kind: K
  readonly metadata: DraftMetadata
  readonly spec: object
  /** Only there for its type. */
  readonly subsetNames?: N
}
