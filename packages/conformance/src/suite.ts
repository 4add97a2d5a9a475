import type { DataFile } from './data.js'

export interface CaseResult {
  readonly id: string
  readonly ok: boolean
  /** Of a miss: what was wanted and what came, short. */
  readonly why?: string
  /** Where a case counts as more than one: how much of it is right. */
  readonly parts?: { readonly passed: number; readonly total: number }
}

/** One file of cases and the comparer for it. */
export interface Suite {
  readonly name: string
  /** Of the data; the file may also be packed, as `.gz`. */
  readonly file: string
  /** Ids of the cases, where the file is no list of `{ id }`. */
  ids?(data: unknown): readonly string[]
  /** Absent: what it would test does not exist yet. */
  run?(data: DataFile): AsyncIterable<CaseResult>
  /** Runs one case again, alone: for cases that watch timers of their own while a busy machine is late. A miss must be one twice. */
  again?(data: DataFile, id: string): Promise<CaseResult | undefined>
}

/** Undefined: as wanted; else why not. */
export type Verdict = string | undefined

/** Judges case by case; what a case throws is its miss. Ids that come again get a number. */
export async function* each<C>(
  cases: readonly C[],
  idOf: (item: C) => string,
  judge: (item: C) => Verdict | Promise<Verdict>,
): AsyncGenerator<CaseResult> {
  const ids = numbered(cases.map(idOf))
  for (const [i, item] of cases.entries()) {
    const id = ids[i]!
    let why: Verdict
    try {
      why = await judge(item)
    } catch (error) {
      why = `threw ${error instanceof Error ? error.message : String(error)}`
    }
    yield why === undefined ? { id, ok: true } : { id, ok: false, why }
  }
}

export function numbered(ids: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return ids.map((id) => {
    const count = (seen.get(id) ?? 0) + 1
    seen.set(id, count)
    return count === 1 ? id : `${id} #${count}`
  })
}
