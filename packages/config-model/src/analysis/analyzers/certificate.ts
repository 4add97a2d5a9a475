import { base64Bytes } from './base64.js'

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g

/** What is wrong with a chain of certificates in PEM at a time; undefined: nothing. Only form and validity are judged (RFC 5280, 4.1). */
export function certificateProblem(pem: string, now: number): string | undefined {
  const blocks = [...pem.matchAll(PEM)]
  if (blocks.length === 0) return 'no PEM'
  for (const [, type, body = ''] of blocks) {
    if (type !== 'CERTIFICATE') return `a PEM block of type ${type}`
    const der = base64Bytes(body)
    const validity = der === undefined ? undefined : validityOf(der)
    if (validity === undefined) return 'not an X.509 certificate'
    if (now < validity.from) return 'not valid yet'
    if (now > validity.to) return 'expired'
  }
  return undefined
}

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

const SEQUENCE = 0x30
const VERSION = 0xa0

// Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer, validity, … }, … }
function validityOf(der: Uint8Array): { from: number; to: number } | undefined {
  const certificate = elementAt(der, 0, der.length)
  if (certificate?.tag !== SEQUENCE) return undefined
  const body = elementAt(der, certificate.start, certificate.end)
  if (body?.tag !== SEQUENCE) return undefined
  const fields = childrenOf(der, body)
  const validity = fields?.[fields[0]?.tag === VERSION ? 4 : 3]
  const times = validity?.tag === SEQUENCE ? childrenOf(der, validity) : undefined
  const [from, to] = (times ?? []).map((time) => timeOf(der, time))
  return from === undefined || to === undefined ? undefined : { from, to }
}

function childrenOf(der: Uint8Array, parent: Element): Element[] | undefined {
  const children: Element[] = []
  for (let at = parent.start; at < parent.end; ) {
    const child = elementAt(der, at, parent.end)
    if (child === undefined) return undefined
    children.push(child)
    at = child.end
  }
  return children
}

// Tag, length and content; DER has definite lengths only.
function elementAt(der: Uint8Array, at: number, limit: number): Element | undefined {
  const tag = der[at]
  const first = der[at + 1]
  if (tag === undefined || first === undefined) return undefined
  const count = first < 0x80 ? 0 : first & 0x7f
  if (count > 4 || first === 0x80) return undefined
  let length = count === 0 ? first : 0
  for (let i = 0; i < count; i++) length = length * 256 + (der[at + 2 + i] ?? 0)
  const start = at + 2 + count
  return start + length > limit ? undefined : { tag, start, end: start + length }
}

const UTC_TIME = 0x17
const TIME = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/

// UTCTime has two digits of the year: below 50 is 20xx.
function timeOf(der: Uint8Array, { tag, start, end }: Element): number | undefined {
  const parts = TIME.exec(String.fromCharCode(...der.subarray(start, end)))
  if (parts === null) return undefined
  const [year = 0, month = 0, day, hour, minute, second] = parts.slice(1).map(Number)
  const full = tag === UTC_TIME ? year + (year < 50 ? 2000 : 1900) : year
  return Date.UTC(full, month - 1, day, hour, minute, second)
}
