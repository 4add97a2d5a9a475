import type { JwtProvider } from '@heddle/xds-types/envoy/extensions/filters/http/jwt_authn/v3'
import type { Fields } from '../config/fields.js'
import { cookieValue } from '../http/cookies.js'
import type { HeaderMap } from '../http/header-map.js'
import { asciiLower } from '../matcher/ascii.js'
import type { RequestHead } from '../route/table.js'

/** A token that was found, and the place that it stood in. */
export interface FoundToken {
  readonly text: string
  /** The providers that look there want tokens of these issuers only. */
  allowsIssuer(issuer: string): boolean
  /** Takes it out of the request; a cookie stays, as in Envoy. */
  remove(head: RequestHead): void
}

/** Where a provider's tokens may stand. */
export interface TokenLocations {
  readonly issuer: string
  readonly headers: readonly { readonly name: string; readonly prefix: string }[]
  readonly params: readonly string[]
  readonly cookies: readonly string[]
}

export function compileLocations(fields: Fields<JwtProvider>, issuer: string): TokenLocations {
  const headers = fields.messages('from_headers').map((each) => {
    const header = { name: asciiLower(each.string('name')), prefix: each.string('value_prefix') }
    each.done()
    return header
  })
  const [params, cookies] = [fields.strings('from_params'), fields.strings('from_cookies')]
  return headers.length + params.length + cookies.length > 0
    ? { issuer, headers, params, cookies }
    : { issuer, headers: [{ name: 'authorization', prefix: 'Bearer ' }], params: ['access_token'], cookies: [] }
}

/** Looks for the tokens of several providers at once. */
export type TokenFinder = (head: RequestHead) => readonly FoundToken[]

interface Place {
  readonly find: (head: RequestHead) => readonly string[]
  readonly remove: FoundToken['remove']
  /** Empty: any. */
  readonly issuers: Set<string>
}

/** Headers first, then parameters, then cookies, each by name: the order in which Envoy finds them. */
export function createFinder(providers: readonly TokenLocations[]): TokenFinder {
  const [headers, params, cookies] = [new Map<string, Place>(), new Map<string, Place>(), new Map<string, Place>()]
  const add = (places: Map<string, Place>, key: string, issuer: string, make: () => Omit<Place, 'issuers'>): void => {
    let place = places.get(key)
    if (place === undefined) places.set(key, (place = { ...make(), issuers: new Set() }))
    place.issuers.add(issuer)
  }
  for (const { issuer, ...from } of providers) {
    for (const { name, prefix } of from.headers) add(headers, name + prefix, issuer, () => inHeader(name, prefix))
    for (const name of from.params) add(params, name, issuer, () => inParameter(name))
    for (const name of from.cookies) add(cookies, name, issuer, () => inCookie(name))
  }
  const places = [headers, params, cookies].flatMap((each) =>
    [...each].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place),
  )
  const wanted = places.map(({ find, remove, issuers }) => ({
    ...{ find, remove },
    allowsIssuer: (issuer: string) => issuers.has('') || issuers.has(issuer),
  }))
  return (head) => {
    const tokens: FoundToken[] = []
    for (const { find, remove, allowsIssuer } of wanted)
      for (const text of find(head)) tokens.push({ text, allowsIssuer, remove })
    return tokens
  }
}

const FIRST_TOKEN_CHARACTER = /[A-Za-z0-9._-]/

const NONE: readonly string[] = []

function inHeader(name: string, prefix: string): Omit<Place, 'issuers'> {
  // Clients come again with the value that they sent last.
  let last = ''
  let foundInLast = NONE
  return {
    find({ headers }) {
      const first = headers.get(name)
      if (first === undefined) return NONE
      if (isOnly(headers, name)) {
        if (first !== last) {
          foundInLast = prefix === '' ? [first] : after(first, prefix)
          last = first
        }
        return foundInLast
      }
      const lines = headers.getAll(name)
      // Of authorization there is one: two lines are one value that no token fits.
      const values = name === 'authorization' && lines.length > 1 ? [lines.join(',')] : lines
      return prefix === '' ? values : values.flatMap((value) => after(value, prefix))
    },
    remove: ({ headers }) => void headers.delete(name),
  }
}

function isOnly(headers: HeaderMap, name: string): boolean {
  let lines = 0
  for (let i = 0; i < headers.size; i++) if (headers.nameAt(i) === name && ++lines > 1) return false
  return true
}

function after(value: string, prefix: string): readonly string[] {
  const at = value.indexOf(prefix)
  if (at < 0) return NONE
  const rest = value.slice(at + prefix.length)
  const start = rest.search(FIRST_TOKEN_CHARACTER)
  return [start < 0 ? value : rest.slice(start)]
}

function inParameter(name: string): Omit<Place, 'issuers'> {
  return {
    find({ path }) {
      if (!path.includes('?')) return NONE
      const pair = pairsOf(path).find((each) => decode(each.split('=', 1)[0]!) === name)
      return pair === undefined ? [] : [decode(pair.slice(pair.indexOf('=') + 1))]
    },
    remove(head) {
      const query = head.path.indexOf('?')
      const rest = pairsOf(head.path).filter((each) => decode(each.split('=', 1)[0]!) !== name)
      head.path = head.path.slice(0, query) + (rest.length === 0 ? '' : `?${rest.join('&')}`)
    },
  }
}

function inCookie(name: string): Omit<Place, 'issuers'> {
  return {
    find({ headers }) {
      const value = cookieValue(headers, name)
      return value === undefined ? [] : [value]
    },
    remove() {},
  }
}

function pairsOf(path: string): readonly string[] {
  const query = path.indexOf('?')
  return query < 0 ? [] : path.slice(query + 1).split('&')
}

/** Percent-decoding that leaves alone what cannot be decoded. */
function decode(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)))
}
