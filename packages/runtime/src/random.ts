/** Chance by argument: load balancing, jitter, fractions. Keys, serial numbers and tokens use a cryptographic source, never this. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
}

/** The generator of the JavaScript engine. */
export const systemRandom: Random = { next: () => Math.random() }
