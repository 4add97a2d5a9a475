import { cookieValue } from '../../http/cookies.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import type { OAuth2Config } from './oauth2-config.js'
import { decryptText, encryptText, sameText, signParts } from './oauth2-crypto.js'

type Line = readonly [name: 'set-cookie', value: string]

/** What a token endpoint gave, or what cookies hold of it. */
export interface Tokens {
  readonly access: string
  readonly id: string
  readonly refresh: string
}

/** Signed by us for this host; it may have expired. */
export interface Session extends Tokens {
  readonly expired: boolean
}

export interface Secrets {
  readonly client: string
  readonly hmac: string
}

const GONE = 'expires=Thu, 01 Jan 1970 00:00:00 GMT'

/** The session that a request's cookies prove. */
export function readSession(config: OAuth2Config, request: HttpRequest, secrets: Secrets, nowMs: number): Session | undefined {
  const { cookies } = config
  const of = (name: string): string => cookieValue(request.headers, name) ?? ''
  const [access, id, refresh, expires] = [of(cookies.token), of(cookies.idToken), of(cookies.refreshToken), of(cookies.expires)]
  const signed = signParts(secrets.hmac, domainOf(config, request), expires, access, id, refresh)
  if (!/^\d{1,15}$/.test(expires) || !sameText(of(cookies.hmac), signed)) return undefined
  const open = (text: string): string => (config.encrypted ? (decryptText(secrets.hmac, text) ?? '') : text)
  const expired = Number(expires) * 1000 <= nowMs
  return { access: open(access), id: open(id), refresh: open(refresh), expired }
}

/** A refresh token may outlive the session; it is good only as we wrote it. */
export function readRefreshToken(config: OAuth2Config, request: HttpRequest, { hmac }: Secrets): string | undefined {
  const value = cookieValue(request.headers, config.cookies.refreshToken)
  if (value === undefined || value === '') return undefined
  return config.encrypted ? decryptText(hmac, value) : value
}

export function sessionCookies(
  config: OAuth2Config,
  request: HttpRequest,
  tokens: Tokens,
  secrets: Secrets,
  expiresIn: number,
  nowMs: number,
): readonly Line[] {
  const { cookies } = config
  const close = (text: string): string => (text === '' || !config.encrypted ? text : encryptText(secrets.hmac, text))
  const expires = String(Math.floor(nowMs / 1000) + expiresIn)
  const [access, id, refresh] = [
    config.forwardBearer || config.useRefreshToken ? close(tokens.access) : '',
    config.idTokenCookie ? close(tokens.id) : '',
    config.useRefreshToken ? close(tokens.refresh) : '',
  ]
  // What is not there any more must not be signed for, and must not stay.
  const line = (name: string, value: string, maxAge: number): readonly Line[] => {
    if (value !== '') return [setCookie(config, name, value, maxAge)]
    return cookieValue(request.headers, name) === undefined ? [] : dropCookies(config, [name])
  }
  return [
    ...line(cookies.hmac, signParts(secrets.hmac, domainOf(config, request), expires, access, id, refresh), expiresIn),
    ...line(cookies.expires, expires, expiresIn),
    ...line(cookies.token, access, expiresIn),
    ...line(cookies.idToken, id, expiresIn),
    ...line(cookies.refreshToken, refresh, config.refreshExpiresIn),
  ]
}

export function setCookie({ cookieDomain }: OAuth2Config, name: string, value: string, maxAge: number): Line {
  const domain = cookieDomain === '' ? '' : `;domain=${cookieDomain}`
  return ['set-cookie', `${name}=${value}${domain};path=/;Max-Age=${maxAge};secure;HttpOnly`]
}

export function dropCookies({ cookieDomain }: OAuth2Config, names: readonly string[]): readonly Line[] {
  const domain = cookieDomain === '' ? '' : `; domain=${cookieDomain}`
  return names.map((name) => ['set-cookie', `${name}=deleted; path=/; ${GONE}${domain}`] as const)
}

/** The app is not shown the filter's own cookies. */
export function hideCookies(headers: HeaderMap, names: readonly string[]): void {
  const hidden = new Set(names)
  const kept = headers
    .getAll('cookie')
    .flatMap((line) => line.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !hidden.has(pair.split('=', 1)[0]!.split('.', 1)[0]!))
  headers.delete('cookie')
  if (kept.length > 0) headers.append('cookie', kept.join('; '))
}

function domainOf({ cookieDomain }: OAuth2Config, { authority }: HttpRequest): string {
  return cookieDomain === '' ? authority : cookieDomain
}
