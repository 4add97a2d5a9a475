import { systemClock } from '@heddle/runtime'
import type { CpuAccounting } from './proc.js'

/** What others may use, in shares of one core, before a verdict is refused. */
export const FOREIGN_LIMIT = 0.05

/** What others used of the machine between two moments. */
export interface ForeignLoad {
  /** In shares of one core: processes that are not ours, and what the hypervisor took. Undefined: the system does not tell. */
  readonly share: number | undefined
}

export interface Guard {
  /** Starts a window; the function ends it. */
  begin(): () => ForeignLoad
}

/** Watches that nobody else uses the CPU while we measure. */
export function createGuard(accounting: CpuAccounting | undefined, now: () => number = () => systemClock.monotonic()): Guard {
  if (accounting === undefined) return { begin: () => () => ({ share: undefined }) }
  const read = (): { at: number; foreign: number } => ({
    foreign: accounting.machine() + accounting.stolen() - accounting.own(),
    at: now(),
  })
  return {
    begin() {
      const start = read()
      return () => {
        const end = read()
        const seconds = (end.at - start.at) / 1000
        return { share: Math.max(0, end.foreign - start.foreign) / seconds }
      }
    },
  }
}

/** A reason to refuse, or undefined. */
export function foreignLoadProblem({ share }: ForeignLoad, limit: number = FOREIGN_LIMIT): string | undefined {
  if (share === undefined || share <= limit) return undefined
  return `others used ${(share * 100).toFixed(0)} % of a core, ${(limit * 100).toFixed(0)} % is the limit`
}
