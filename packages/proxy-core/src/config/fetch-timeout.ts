import { parseDuration } from './duration.js'

/** ConfigSource.initial_fetch_timeout where nobody says one. */
const DEFAULT_MS = 15_000

/** initial_fetch_timeout in milliseconds: how long is waited for the first answer; 0: for ever. */
export function fetchTimeoutMs(initialFetchTimeout: string | undefined): number {
  return parseDuration(initialFetchTimeout) ?? DEFAULT_MS
}
