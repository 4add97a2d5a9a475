import type { Random } from '@heddle/runtime'
import { asciiLower } from '../matcher/ascii.js'
import type { HeaderMatcher } from '../matcher/header.js'
import { headerValues } from '../matcher/header.js'
import { type QueryMatcher, queryParameter } from '../matcher/query.js'
import type { StringMatcher } from '../matcher/string.js'
import type { DynamicMetadata, MetadataTest } from '../matcher/value.js'
import { cookieValue } from './hash-policy.js'
import type { MatchVerdict, RequestHead } from './table.js'

/** One condition of a RouteMatch. */
export interface RoutePredicate {
  matches(head: RequestHead, random: Random): boolean
  /** Why it fails, for a request that it does not match. */
  reason(head: RequestHead): string
}

/** The path before `?` and `#`: what every path specifier looks at (CVE-2021-39156). */
export function pathOnly(path: string): string {
  // The routes and policies that a request meets ask for the same one again and again.
  if (path !== lastPath) {
    lastBare = cutPath(path)
    lastPath = path
  }
  return lastBare
}

let lastPath = ''
let lastBare = ''

function cutPath(path: string): string {
  const query = path.indexOf('?')
  const withoutQuery = query < 0 ? path : path.slice(0, query)
  const fragment = withoutQuery.indexOf('#')
  return fragment < 0 ? withoutQuery : withoutQuery.slice(0, fragment)
}

export function matchesAll(predicates: readonly RoutePredicate[], head: RequestHead, random: Random): boolean {
  for (const predicate of predicates) if (!predicate.matches(head, random)) return false
  return true
}

export function explainAll(predicates: readonly RoutePredicate[], head: RequestHead, random: Random): MatchVerdict {
  const failed = predicates.find((predicate) => !predicate.matches(head, random))
  return failed === undefined ? { matched: true } : { matched: false, reason: failed.reason(head) }
}

/** A CONNECT without a path is for connect_matcher alone. */
export function pathPredicate(matcher: StringMatcher): RoutePredicate {
  return {
    matches: (head) => head.path !== '' && matcher.matches(pathOnly(head.path)),
    reason: (head) => `path is ${quote(pathOnly(head.path))}, wanted ${matcher.text}`,
  }
}

/** path_separated_prefix: `/api` fits `/api` and `/api/x`, not `/apiary`. */
export function separatedPrefix(prefix: string, ignoreCase: boolean): StringMatcher {
  const wanted = ignoreCase ? asciiLower(prefix) : prefix
  return {
    text: `path prefix ${quote(prefix)}`,
    matches: (path) => {
      const value = ignoreCase ? asciiLower(path) : path
      return value.startsWith(wanted) && (value.length === wanted.length || value[wanted.length] === '/')
    },
  }
}

export const CONNECT: RoutePredicate = {
  matches: (head) => head.method === 'CONNECT',
  reason: (head) => `method is ${head.method}, wanted CONNECT`,
}

/** Undefined: it does not matter. */
export function tlsPredicate(presented: boolean | undefined, validated: boolean | undefined): RoutePredicate {
  return {
    matches: ({ clientCertificate: certificate }) =>
      (presented === undefined || (certificate !== undefined) === presented) &&
      (validated === undefined || (certificate === 'validated') === validated),
    reason: ({ clientCertificate = 'absent' }) => `the client's certificate is ${clientCertificate}`,
  }
}

export function headerPredicate(matcher: HeaderMatcher): RoutePredicate {
  return {
    matches: (head) => matcher.matches(head),
    reason: (head) => {
      const values = headerValues(head, matcher.name)
      const found = values.length === 0 ? 'absent' : values.map(quote).join(', ')
      return `header ${matcher.name} is ${found}, wanted ${matcher.text}`
    },
  }
}

export function metadataPredicate(test: MetadataTest): RoutePredicate {
  return {
    matches: ({ metadata }) => test.matches(metadata ?? NO_METADATA),
    reason: () => `metadata ${test.name} is not ${test.text}`,
  }
}

const NO_METADATA: DynamicMetadata = new Map()

/** One condition of RouteMatch.cookies. */
export interface CookieTest {
  readonly name: string
  readonly matcher: StringMatcher
  readonly invert: boolean
}

/** A cookie that is absent fails, and passes an inverted test. */
export function cookiePredicate({ name, matcher, invert }: CookieTest): RoutePredicate {
  return {
    matches(head) {
      const value = cookieValue(head, name)
      return (value !== undefined && matcher.matches(value)) !== invert
    },
    reason: (head) => {
      const value = cookieValue(head, name)
      return `cookie ${name} is ${value === undefined ? 'absent' : quote(value)}, wanted ${invert ? 'not ' : ''}${matcher.text}`
    },
  }
}

export function queryPredicate(matcher: QueryMatcher): RoutePredicate {
  return {
    matches: (head) => matcher.matches(queryParameter(head.path, matcher.name)),
    reason: (head) => {
      const value = queryParameter(head.path, matcher.name)
      return `query parameter ${matcher.name} is ${value === undefined ? 'absent' : quote(value)}, wanted ${matcher.text}`
    },
  }
}

const GRPC_TYPE = /^application\/grpc(\+|$)/

export const GRPC: RoutePredicate = {
  matches: (head) => GRPC_TYPE.test(head.headers.get('content-type') ?? ''),
  reason: (head) => `content-type is ${quote(head.headers.get('content-type') ?? '')}, wanted application/grpc`,
}

export function fractionPredicate(share: () => number): RoutePredicate {
  return {
    matches: (_head, random) => random.next() < share(),
    reason: () => `the dice fell outside runtime_fraction (${Number((share() * 100).toFixed(4))} %)`,
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}
