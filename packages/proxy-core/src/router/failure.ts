import type { LocalReply } from '../http/message.js'
import type { AttemptEnd } from '../observe/tracing/attempt-span.js'
import type { AttemptFailure } from '../upstream/pool.js'

interface Words {
  readonly reason: string
  readonly flag: string
  readonly status: 502 | 503
}

const WORDS: Readonly<Record<AttemptFailure, Words>> = {
  connect_failure: { reason: 'remote connection failure', flag: 'UF', status: 503 },
  connect_timeout: { reason: 'connection timeout', flag: 'UF', status: 503 },
  connection_termination: { reason: 'connection termination', flag: 'UC', status: 503 },
  remote_reset: { reason: 'remote reset', flag: 'UR', status: 503 },
  remote_refused: { reason: 'remote refused stream reset', flag: 'UR', status: 503 },
  protocol_error: { reason: 'protocol error', flag: 'UPE', status: 502 },
  overflow: { reason: 'overflow', flag: 'UO', status: 503 },
  pending_overflow: { reason: 'overflow', flag: 'UO', status: 503 },
}

/** A circuit breaker of ours was open: the endpoint has done nothing wrong. */
export function isOverflow(reason: AttemptFailure | 'per_try_timeout'): boolean {
  return reason === 'overflow' || reason === 'pending_overflow'
}

/** For the span of the attempt. */
export function endOf(reason: AttemptFailure): AttemptEnd {
  return { flag: WORDS[reason].flag, reason: WORDS[reason].reason }
}

export const CANCELED: AttemptEnd = { canceled: true }

export function flagOf(reason: AttemptFailure): string {
  return WORDS[reason].flag
}

/** What the client is told when no answer came, in Envoy's words. */
export function failureReply(reason: AttemptFailure, error: Error | undefined, retried: boolean): LocalReply {
  const words = WORDS[reason]
  // What TCP itself says stays in the log; what went wrong in TLS an operator must see.
  const transport =
    reason === 'connect_failure' && error !== undefined && systemText(error) === undefined
      ? `, transport failure reason: ${reasonText(error)}`
      : ''
  const body = `upstream connect error or disconnect/reset before headers. ${retried ? 'retried and the latest ' : ''}reset reason: ${words.reason}${transport}`
  const reply: LocalReply = {
    status: words.status,
    body,
    details: `upstream_reset_before_response_started{${detailOf(reason, error)}}`,
    flag: words.flag,
  }
  return isOverflow(reason) ? { ...reply, headers: [['x-envoy-overloaded', 'true']] } : reply
}

/** For an attempt that broke off in the middle of its response. */
export function brokenDetails(reason: AttemptFailure, error: Error | undefined): string {
  return `upstream_reset_after_response_started{${detailOf(reason, error)}}`
}

function detailOf(reason: AttemptFailure, error: Error | undefined): string {
  const name = WORDS[reason].reason.replaceAll(' ', '_')
  return reason === 'connect_failure' && error !== undefined ? `${name}|${reasonText(error)}` : name
}

// strerror(3), which Node does not tell.
const SYSTEM_TEXT: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Connection refused'],
  ['ECONNRESET', 'Connection reset by peer'],
  ['EHOSTUNREACH', 'No route to host'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['ENOENT', 'No such file or directory'],
])

function systemText(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? SYSTEM_TEXT.get(code) : undefined
}

/** Words that are safe in a header, a log line and a body. */
export function reasonText(error: Error): string {
  const system = systemText(error)
  const text = system === undefined ? `TLS_error: ${error.message}` : `delayed connect error: ${system}`
  return text.replace(/[^\x20-\x7e]/g, ' ').slice(0, 300)
}
