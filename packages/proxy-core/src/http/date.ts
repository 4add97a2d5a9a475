import type { Clock } from '@heddle/runtime'

/** The Date header (RFC 9110 §6.6.1), made once a second. */
export function createHttpDate(clock: Clock): () => string {
  let second = -1
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = new Date(now * 1000).toUTCString()
    }
    return text
  }
}
