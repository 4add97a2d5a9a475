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
