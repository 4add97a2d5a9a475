import { dropOldest } from '@heddle/runtime'

/** How far a client is behind what it should have; counts changes, knows nothing of what they are. */
export interface Progress {
  /** Changes of what the client should have, so far. */
  readonly wanted: number
  /** The last of them for which the client has answered everything it was sent. */
  readonly settled: number
  /** `version`: what the maker of the new set calls it. */
  want(version?: string): void
  /** The first of them that brought the set that its maker calls `version`; undefined: it has not come, or was too long ago. */
  wantedAt(version: string): number | undefined
  /** Takes the newest change; false when it was taken already. `version`: what its maker calls it. */
  take(version?: string): boolean
  /** Enters whether the client owes answers; true when what was taken has just been settled. */
  note(owesAnswers: boolean): boolean
}

// A barrier is asked for a version that is new, or was a moment ago.
const REMEMBERED = 16

export function createProgress(): Progress {
  let taken = 0
  let named: Map<string, number> | undefined
  const name = (version: string | undefined): void => {
    if (version === undefined || named?.has(version)) return
    named ??= new Map()
    named.set(version, progress.wanted)
    dropOldest(named, REMEMBERED)
  }
  const progress = {
    wanted: 1,
    settled: 0,
    want(version?: string): void {
      progress.wanted++
      name(version)
    },
    take(version?: string): boolean {
      const isNew = taken !== progress.wanted
      taken = progress.wanted
      name(version)
      return isNew
    },
    wantedAt: (version: string): number | undefined => named?.get(version),
    note(owesAnswers: boolean): boolean {
      // A new subscription opens again what had been settled.
      if (owesAnswers) progress.settled = Math.min(progress.settled, taken - 1)
      if (owesAnswers || progress.settled === taken) return false
      progress.settled = taken
      return true
    },
  }
  return progress
}
