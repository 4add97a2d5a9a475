import type { RequestHead } from '../route/table.js'
import type { JwtProvider } from './provider.js'
import type { Jwt } from './token.js'

/** Headers that only this provider may set: what a client sent under their names is taken off. */
export function sanitizeClaimHeaders({ headers }: RequestHead, provider: JwtProvider): void {
  if (provider.payloadHeader !== '') headers.delete(provider.payloadHeader)
  for (const { header } of provider.claimHeaders) headers.delete(header)
}

export function addClaimHeaders({ headers }: RequestHead, provider: JwtProvider, jwt: Jwt): void {
  if (provider.payloadHeader !== '') {
    const padding = provider.padPayload ? '='.repeat((4 - (jwt.encodedPayload.length % 4)) % 4) : ''
    headers.append(provider.payloadHeader, jwt.encodedPayload + padding)
  }
  for (const { header, path } of provider.claimHeaders) {
    const text = claimText(claimAt(jwt.claims, path))
    if (text !== '') headers.append(header, text)
  }
}

function claimAt(claims: unknown, path: readonly string[]): unknown {
  let at = claims
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[key]
  }
  return at
}

/** Lists and objects as base64 of their JSON; numbers that are no natural number with six decimals, as Envoy prints them. */
function claimText(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('latin1')
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return value >= 0 && Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(6)
  return typeof value === 'object' && value !== null ? Buffer.from(JSON.stringify(value, sortedKeys)).toString('base64') : ''
}

/** Of JSON.stringify: objects with their keys in order, as Envoy writes them. */
function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Dynamic metadata by key, in the order in which it was told: a later value stands. */
export type Extracted = (readonly [key: string, value: unknown])[]

/** What dynamic metadata says of a verified token. */
export function extractData(provider: JwtProvider, jwt: Jwt, into: Extracted): void {
  if (provider.headerInMetadata !== '') into.push([provider.headerInMetadata, jwt.header])
  if (provider.payloadInMetadata !== '') into.push([provider.payloadInMetadata, normalized(provider, jwt)])
}

function normalized({ spaceDelimitedClaims }: JwtProvider, { claims }: Jwt): Readonly<Record<string, unknown>> {
  if (spaceDelimitedClaims.size === 0) return claims
  const lists = Object.entries(claims).map(([name, value]) =>
    spaceDelimitedClaims.has(name) && typeof value === 'string'
      ? [name, value.split(' ').filter((word) => word !== '')]
      : [name, value],
  )
  return Object.fromEntries(lists) as Readonly<Record<string, unknown>>
}
