import { existsSync, readdirSync, readFileSync } from 'node:fs'

// The kernel's ticks as /proc shows them: USER_HZ is 100 on every Linux that Node runs on.
const TICKS_PER_SECOND = 100

/** CPU accounting of the kernel; undefined where there is no /proc (macOS). */
export interface CpuAccounting {
  /** Seconds that all cores were busy, without interrupts: those cannot be told apart by process. */
  machine(): number
  /** Seconds that the hypervisor gave to others. */
  stolen(): number
  /** Seconds of this process, its live descendants and all that have ended. */
  own(): number
  /** Seconds of one process with its threads; 0 when it is gone. */
  of(pid: number): number
}

export function createCpuAccounting(root = '/proc'): CpuAccounting | undefined {
  if (!existsSync(`${root}/stat`) || !existsSync(`${root}/self/stat`)) return undefined
  const times = (): number[] => parseCpuLine(readFileSync(`${root}/stat`, 'utf8'))
  return {
    machine() {
      const [user = 0, nice = 0, system = 0] = times()
      return user + nice + system
    },
    stolen: () => times()[7] ?? 0,
    own: () => treeSeconds(root, process.pid),
    of: (pid) => readProcess(root, pid)?.own ?? 0,
  }
}

/** The first line of /proc/stat in seconds: user, nice, system, idle, iowait, irq, softirq, steal, … */
export function parseCpuLine(stat: string): number[] {
  const line = stat.slice(0, stat.indexOf('\n'))
  return line
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND)
}

/** /proc/PID/stat in seconds; the name in brackets may hold anything, so fields are counted from its end. */
export function parseProcessLine(stat: string): { own: number; endedChildren: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const seconds = (field: number): number => Number(fields[field - 3]) / TICKS_PER_SECOND
  return { own: seconds(14) + seconds(15), endedChildren: seconds(16) + seconds(17) }
}

function readProcess(root: string, pid: number): { own: number; endedChildren: number } | undefined {
  try {
    return parseProcessLine(readFileSync(`${root}/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

function treeSeconds(root: string, pid: number): number {
  const process = readProcess(root, pid)
  if (process === undefined) return 0
  return childrenOf(root, pid).reduce((sum, child) => sum + treeSeconds(root, child), process.own + process.endedChildren)
}

function childrenOf(root: string, pid: number): number[] {
  try {
    return readdirSync(`${root}/${pid}/task`).flatMap((task) =>
      readFileSync(`${root}/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}
