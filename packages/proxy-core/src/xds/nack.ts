import { type Diagnostic, formatDiagnostic } from '@heddle/runtime'
import type { Status } from '@heddle/xds-types/google/rpc'
import type { Rejection } from './protocol.js'

/** google.rpc.Code INVALID_ARGUMENT. */
const INVALID_ARGUMENT = 3
/** A status travels in an HTTP/2 message of ours and in logs: longer texts help nobody. */
const MAX_MESSAGE_LENGTH = 8192

/** The reasons in one text, a line each, with the paths inside the resource. */
export function rejectionOf(name: string, diagnostics: readonly Diagnostic[]): Rejection {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  return { name, message: (errors.length > 0 ? errors : diagnostics).map(reason).join('\n') }
}

function reason(diagnostic: Diagnostic): string {
  const { path, message, code } = diagnostic
  return path === '' ? `${message} [${code}]` : `${path}: ${message} [${code}]`
}

/** `error_detail` of a NACK: every refused resource by name. Undefined when nothing was refused: an ACK. */
export function errorDetail(rejections: readonly Rejection[]): Status | undefined {
  if (rejections.length === 0) return undefined
  const message = rejections
    .map(({ name, message }) => `${name === '' ? 'resource without a name' : name}: ${message}`)
    .join('\n')
  return {
    code: INVALID_ARGUMENT,
    message: message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message,
  }
}

/** For logs: all diagnostics of one resource. */
export function describe(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join('; ')
}
