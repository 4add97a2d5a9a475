import type { Diagnostic } from '@heddle/runtime'
import type { AnalysisMessage } from './analyze.js'
import { MESSAGES } from './messages.js'

const DOCUMENTATION = 'https://istio.io/latest/docs/reference/config/analysis'
const LEVELS = { error: 'Error', warning: 'Warning', info: 'Info' } as const

/** A message as `istioctl analyze -o json` writes it, and where it is in the object. */
export interface MessageJson {
  readonly code: string
  readonly name: string
  readonly level: 'Error' | 'Warning' | 'Info'
  /** `VirtualService shop/cart`. */
  readonly origin?: string
  /** `file:line`. */
  readonly reference?: string
  readonly message: string
  /** Of Istio's messages. */
  readonly documentationUrl?: string
  readonly path?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly analyzer: string
}

export function messageToJson({ code, name, severity, subject, origin, message, path, analyzer }: AnalysisMessage): MessageJson {
  return {
    code,
    name,
    level: LEVELS[severity],
    ...(subject === undefined ? {} : { origin: subject }),
    ...(origin === undefined ? {} : { reference: `${origin.file}:${origin.line}`, ...origin }),
    message,
    ...(code.startsWith('IST') ? { documentationUrl: `${DOCUMENTATION}/${code.toLowerCase()}/` } : {}),
    ...(path === '' ? {} : { path }),
    analyzer,
  }
}

/** `Error [IST0101] (VirtualService shop/cart routes.yaml:12) Referenced host not found: "cart"`: the line of istioctl. */
export function formatForPeople({ code, severity, subject, origin, message }: AnalysisMessage): string {
  const place = [subject, origin === undefined ? undefined : `${origin.file}:${origin.line}`].filter((part) => part !== undefined)
  return `${LEVELS[severity]} [${code}]${place.length === 0 ? '' : ` (${place.join(' ')})`} ${message}`
}

/** `routes.yaml:12:5: error: Referenced host not found: "cart" [IST0101]`: what compilers write and editors read. */
export function formatForEditors({ code, severity, origin, subject, message }: Diagnostic): string {
  const place = origin === undefined ? (subject ?? '') : `${origin.file}:${origin.line}:${origin.column ?? 1}`
  return `${place}: ${severity === 'info' ? 'note' : severity}: ${message} [${code}]`
}

/** Whether a code is one that some analyzer may tell. */
export function isMessageCode(code: string): boolean {
  return Object.values(MESSAGES).some(([, known]) => known === code)
}
