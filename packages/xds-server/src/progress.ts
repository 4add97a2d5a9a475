/** How far a client is behind what it should have; counts changes, knows nothing of what they are. */
export interface Progress {
  /** Changes of what the client should have, so far. */
  readonly wanted: number
  /** The last of them for which the client has answered everything it was sent. */
  readonly settled: number
  want(): void
  /** Takes the newest change; false when it was taken already. */
  take(): boolean
  /** Enters whether the client owes answers; true when what was taken has just been settled. */
  note(owesAnswers: boolean): boolean
}

export function createProgress(): Progress {
  let wanted = 1
  let taken = 0
  let settled = 0
  return {
    get wanted() {
      return wanted
    },
    get settled() {
      return settled
    },
    want() {
      wanted++
    },
    take() {
      const isNew = taken !== wanted
      taken = wanted
      return isNew
    },
    note(owesAnswers) {
      // A new subscription opens again what had been settled.
      if (owesAnswers) settled = Math.min(settled, taken - 1)
      if (owesAnswers || settled === taken) return false
      settled = taken
      return true
    },
  }
}
