import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findProgram } from './peers/find.js'

/** Which core runs what. */
export interface Placement {
  /** Undefined: nothing is pinned. */
  readonly subjectCore: number | undefined
  readonly loadCore: number | undefined
  /** Why nothing is pinned. */
  readonly problem: string | undefined
}

export type Role = 'subject' | 'load'

/** The subject alone on one core; load and upstream on another. */
export function choosePlacement(): Placement {
  const unpinned = (problem: string): Placement => ({ subjectCore: undefined, loadCore: undefined, problem })
  if (process.platform !== 'linux') return unpinned(`not pinned: ${process.platform} has no taskset`)
  if (findProgram('taskset') === undefined) return unpinned('not pinned: taskset is missing (Debian: util-linux)')
  const cores = parseCoreList(/^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '')
  if (cores.length < 2) return unpinned('not pinned: there is one core only')
  return { subjectCore: cores[0], loadCore: cores[1], problem: undefined }
}

/** `0-2,5` -> 0, 1, 2, 5. */
export function parseCoreList(list: string): number[] {
  return list
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
}

/** The words that run a command on its core. taskset becomes the command, so its process id is the command's. */
export function placed(placement: Placement, role: Role, command: readonly string[]): readonly string[] {
  const core = role === 'subject' ? placement.subjectCore : placement.loadCore
  return core === undefined ? command : ['taskset', '-c', String(core), ...command]
}

/** Keeps this process away from the subject's core. */
export function moveAside(placement: Placement): void {
  if (placement.loadCore === undefined) return
  execFileSync('taskset', ['-a', '-c', '-p', String(placement.loadCore), String(process.pid)], { stdio: 'ignore' })
}
