import { isShallow } from '../http/json-depth.js'
import { ALGORITHMS } from './algorithms.js'
import { decodeBase64Url } from './base64url.js'
import { type JwtProblem, PROBLEM } from './problems.js'

type Json = Readonly<Record<string, unknown>>

/** A signed text (RFC 7515, compact serialization), not verified yet. */
export interface Jws {
  readonly header: Json
  readonly alg: string
  /** Empty: the header names no key. */
  readonly kid: string
  readonly encodedPayload: string
  readonly payload: Buffer
  readonly signed: Buffer
  readonly signature: Buffer
}

export function parseJws(text: string): Jws | JwtProblem {
  const parts = text.split('.', 4)
  const [encodedHeader = '', encodedPayload = '', encodedSignature = ''] = parts
  if (parts.length !== 3 || encodedHeader === '' || encodedSignature === '') return PROBLEM.badFormat
  const headerBytes = decodeBase64Url(encodedHeader)
  if (headerBytes === undefined) return PROBLEM.headerBase64
  const header = parseObject(headerBytes)
  if (header === undefined) return PROBLEM.headerJson
  // What the header brings along (jwk, jku, x5u) is never looked at (CVE-2018-0114).
  const { alg, kid = '' } = header
  if (typeof alg !== 'string') return PROBLEM.headerAlg
  if (!ALGORITHMS.has(alg)) return PROBLEM.headerAlgUnknown
  if (typeof kid !== 'string') return PROBLEM.headerKid
  const payload = decodeBase64Url(encodedPayload)
  if (payload === undefined) return PROBLEM.payloadBase64
  const signature = decodeSignature(encodedSignature)
  if (signature === undefined) return PROBLEM.signatureBase64
  return {
    ...{ header, alg, kid, encodedPayload, payload, signature },
    signed: Buffer.from(`${encodedHeader}.${encodedPayload}`, 'latin1'),
  }
}

/** White space and bits that are left over, which RFC 7515 does not know, make a signature that fits no key: Envoy tells it as that. */
function decodeSignature(text: string): Buffer | undefined {
  const bytes = decodeBase64Url(text)
  if (bytes !== undefined) return bytes
  const bare = text.replace(/[\t\n\v\f\r ]/g, '')
  return /^[A-Za-z0-9_-]+$/.test(bare) && bare.length % 4 !== 1 ? Buffer.alloc(0) : undefined
}

/** Undefined: no JSON object, or one nested too deep. */
export function parseObject(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) && isShallow(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
