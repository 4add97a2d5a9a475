import type { Logger } from '../logger.js'

export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: object
  message: string
}

/** A {@link Logger} that remembers. */
export interface MemoryLogger extends Logger {
  readonly entries: readonly LogEntry[]
  clear(): void
}

export function createMemoryLogger(): MemoryLogger {
  const entries: LogEntry[] = []
  const at =
    (level: LogEntry['level']) =>
    (fields: object, message: string): void => {
      entries.push({ level, fields, message })
    }
  return {
    entries,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    clear() {
      entries.length = 0
    },
  }
}
