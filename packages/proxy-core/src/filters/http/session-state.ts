import type { CookieBasedSessionState } from '@heddle/xds-types/envoy/extensions/http/stateful_session/cookie/v3'
import type { HeaderBasedSessionState } from '@heddle/xds-types/envoy/extensions/http/stateful_session/header/v3'
import { type Fields, fieldsOf, type TypedConfig } from '../../config/fields.js'
import type { HttpRequest, HttpResponse } from '../../http/message.js'
import { asciiLower } from '../../matcher/ascii.js'
import { cookieValue } from '../../route/hash-policy.js'
import { pathOnly } from '../../route/match.js'

/** Where a client keeps the endpoint of its session. */
export interface SessionState {
  /** False: this request takes no part. */
  applies(request: HttpRequest): boolean
  /** `ip:port`, or of a header what else it says; undefined: the client has no session, or none that can be read. `now` is wall clock milliseconds. */
  read(request: HttpRequest, now: number): string | undefined
  /** Tells the client of its endpoint. */
  write(response: HttpResponse, address: string, now: number): void
}

const COOKIE = 'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState'
const HEADER = 'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState'

export function compileSessionState(config: TypedConfig, at: Fields<never>): SessionState | undefined {
  if (config.typeName === COOKIE) return compileCookie(fieldsOf<CookieBasedSessionState>(config, at))
  if (config.typeName === HEADER) return compileHeader(fieldsOf<HeaderBasedSessionState>(config, at))
  ;(at as Fields).problem(`${config.typeName} is not supported: cookie and header are.`, 'session_state')
  return undefined
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/

function compileHeader(fields: Fields<HeaderBasedSessionState>): SessionState {
  const name = asciiLower(fields.string('name'))
  fields.done()
  if (name === '') fields.problem('is required.', 'name')
  return {
    applies: () => true,
    read(request) {
      const value = request.headers.get(name)
      // What decodes is a session, if of no endpoint: that matters where they are strict.
      return value === undefined || !BASE64.test(value) ? undefined : Buffer.from(value, 'base64').toString('latin1')
    },
    write: (response, address) => response.headers.set(name, Buffer.from(address, 'latin1').toString('base64')),
  }
}

function compileCookie(fields: Fields<CookieBasedSessionState>): SessionState {
  const cookie = fields.message('cookie')
  const name = cookie?.string('name') ?? ''
  const path = cookie?.string('path') ?? ''
  const ttlMs = cookie?.durationMs('ttl', 0) ?? 0
  const extra = (cookie?.messages('attributes') ?? []).map((each) => {
    const [key, value] = [each.string('name'), each.string('value')]
    each.done()
    return value === '' ? `; ${key}` : `; ${key}=${value}`
  })
  cookie?.done()
  fields.done()
  if (name === '') fields.problem('is required.', 'cookie')
  const age = ttlMs === 0 ? '' : `; Max-Age=${Math.floor(ttlMs / 1000)}`
  const attributes = `${age}${path === '' ? '' : `; Path=${path}`}${extra.join('')}; HttpOnly`
  return {
    applies: (request) => path === '' || isUnder(pathOnly(request.path), path),
    read(request, now) {
      const value = cookieValue(request, name)
      return value === undefined ? undefined : decodeCookie(Buffer.from(value, 'base64'), now)
    },
    write(response, address, now) {
      const expires = ttlMs === 0 ? 0 : Math.floor((now + ttlMs) / 1000)
      response.headers.append('set-cookie', `${name}="${encodeCookie(address, expires).toString('base64')}"${attributes}`)
    },
  }
}

function isUnder(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/')
}

// Envoy's message envoy.Cookie: 1 address, 2 seconds since the epoch at which it ends.
const ADDRESS_TAG = 0x0a
const EXPIRES_TAG = 0x10

function encodeCookie(address: string, expires: number): Buffer {
  const text = Buffer.from(address, 'latin1')
  const varint: number[] = []
  for (let rest = expires; rest > 0; rest = Math.floor(rest / 128)) varint.push((rest % 128) | (rest >= 128 ? 128 : 0))
  return Buffer.concat([
    Buffer.from([ADDRESS_TAG, text.length]),
    text,
    ...(expires > 0 ? [Buffer.from([EXPIRES_TAG, ...varint])] : []),
  ])
}

/** Also of older Envoys, whose cookies hold the bare address. */
function decodeCookie(bytes: Buffer, now: number): string | undefined {
  if (bytes[0] !== ADDRESS_TAG || bytes.length < 2 + bytes[1]!) return addressIn(bytes.toString('latin1'))
  const end = 2 + bytes[1]!
  if (bytes[end] === EXPIRES_TAG) {
    const expires = bytes.subarray(end + 1).reduce((sum, byte, i) => sum + (byte & 127) * 128 ** i, 0)
    if (expires * 1000 < now) return undefined
  }
  return addressIn(bytes.toString('latin1', 2, end))
}

function addressIn(text: string): string | undefined {
  return /^[0-9a-fA-F.:[\]]{3,60}:\d{1,5}$/.test(text) ? text : undefined
}
