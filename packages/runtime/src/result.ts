import type { Diagnostic } from './diagnostic.js'

/** A value, or the reasons why there is none; either way with everything that was noticed. Decoders return it and never throw on user data. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

const NONE: readonly Diagnostic[] = []

export function ok<T>(value: T, diagnostics: readonly Diagnostic[] = NONE): Result<T> {
  return { ok: true, value, diagnostics }
}

export function fail<T = never>(...diagnostics: readonly Diagnostic[]): Result<T> {
  return { ok: false, diagnostics }
}

/** An error diagnostic, the common case. */
export function problem(code: string, path: string, message: string): Diagnostic {
  return { code, severity: 'error', path, message }
}
