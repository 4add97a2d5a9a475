export type Severity = 'error' | 'warning' | 'info'

/** Where something was written. `line` and `column` start at 1. */
export interface Origin {
  file: string
  line: number
  /** Absent where only the line is known. */
  column?: number
}

/** One thing that is wrong or worth knowing, in the words of the person who has to mend it. */
export interface Diagnostic {
  /** Stable and greppable: `IST0101`, `xds.unknown_field`. */
  code: string
  severity: Severity
  /** What is wrong and what to do. */
  message: string
  /** Path inside the object, as the user writes it: `spec.http[0].route[1].weight`; empty for the whole. */
  path: string
  /** The object: `VirtualService nolen/apps-svc-all-vs`, a type URL with a name. */
  subject?: string
  origin?: Origin
}

/** `file:line: severity code at path: message`, the form that editors and CI logs read. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { code, severity, message, path, subject, origin } = diagnostic
  const where = origin === undefined ? '' : `${origin.file}:${origin.line}: `
  const what = [subject, path].filter((part) => part !== undefined && part !== '').join(' ')
  return `${where}${severity} ${code}${what === '' ? '' : ` ${what}`}: ${message}`
}
