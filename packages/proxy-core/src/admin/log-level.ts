import { fail, type LeveledLogger, type Logger, type LogLevel, ok, problem } from '@heddle/runtime'
import type { AdminActions } from './page.js'

/** Envoy's names of levels on ours. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
  off: 'off',
}

/** As Envoy tells them; `warn` is taken, too. */
export const LEVEL_NAMES: readonly string[] = Object.keys(LEVELS).filter((name) => name !== 'warn')

/** The level that Envoy calls so: `trace` to `off`; undefined: it has no such level. */
export function logLevelOf(name: string): LogLevel | undefined {
  return Object.hasOwn(LEVELS, name) ? LEVELS[name] : undefined
}

/** What `/logging` may do with this logger: nothing, when it has no level. */
export function logLevelActions(logger: Logger | LeveledLogger): Pick<AdminActions, 'logLevel' | 'setLogLevel'> {
  if (!('level' in logger) || logLevelOf(logger.level) === undefined) return {}
  return {
    logLevel: () => (logger.level === 'warn' ? 'warning' : logger.level),
    setLogLevel(name) {
      const level = logLevelOf(name)
      if (level === undefined)
        return fail(problem('logging.level', 'level', `${name} is no level; use ${LEVEL_NAMES.join(', ')}.`))
      logger.level = level
      return ok(undefined)
    },
  }
}
