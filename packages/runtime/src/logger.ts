import type { Clock } from './clock.js'

/** Structured logging; pino's logger fits. `fields` first, as there. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const nothing = (): void => {}

/** The default everywhere: libraries are silent unless their user wants to hear them. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** Levels in order; `off` is beyond all. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'off'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'off']

/** A logger whose level may be changed while it is in use. */
export interface LeveledLogger extends Logger {
  /** The lowest that is written. */
  level: LogLevel
}

/**
 * One JSON object a line: `{"time":"…","level":"info","message":"…",…fields}`.
 * @param write gets each line with its newline
 * @param level the lowest that is written; default `info`
 */
export function createJsonLogger(
  write: (line: string) => void,
  clock: Pick<Clock, 'now'>,
  level: LogLevel = 'info',
): LeveledLogger {
  const at =
    (own: LogLevel): Logger['info'] =>
    (fields, message) => {
      if (LEVELS.indexOf(own) < LEVELS.indexOf(logger.level)) return
      write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), level: own, message, ...fields })}\n`)
    }
  const logger: LeveledLogger = { level, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return logger
}
