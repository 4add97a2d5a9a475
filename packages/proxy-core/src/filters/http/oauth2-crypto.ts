import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What the cookies of the OAuth2 filter are made with, as Envoy makes them; all text. */

/** HMAC-SHA256 of the parts, a line each, as base64. */
export function signParts(secret: string, ...parts: readonly string[]): string {
  return createHmac('sha256', secret).update(parts.join('\n')).digest('base64')
}

export function sameText(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const IV_BYTES = 16
const keyOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** AES-256-CBC under the hash of the secret: base64url of IV and ciphertext. */
export function encryptText(secret: string, text: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-cbc', keyOf(secret), iv)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]).toString('base64url')
}

/** Undefined: it was not encrypted under this secret. */
export function decryptText(secret: string, encrypted: string): string | undefined {
  const bytes = Buffer.from(encrypted, 'base64url')
  if (bytes.length <= IV_BYTES) return undefined
  try {
    const decipher = createDecipheriv('aes-256-cbc', keyOf(secret), bytes.subarray(0, IV_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

/** `<random>.<hmac of it>`: nobody else can make one (signed double-submit cookie). */
export function createCsrfToken(secret: string): string {
  const random = randomBytes(16).toString('hex')
  return `${random}.${signParts(secret, random)}`
}

export function isCsrfToken(secret: string, token: string): boolean {
  const dot = token.indexOf('.')
  return dot > 0 && sameText(token.slice(dot + 1), signParts(secret, token.slice(0, dot)))
}

/** RFC 7636. */
export const createCodeVerifier = (): string => randomBytes(32).toString('base64url')
export const codeChallenge = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

export const createFlowId = (): string => randomBytes(8).toString('hex')
