import { equal } from '@heddle/runtime'
import { into, type Site, warn } from '../decode/site.js'
import type { StringMatch } from '../kinds/common.js'
import type { HTTPMatchRequest, HTTPRoute } from '../kinds/http-route.js'
import { CODE } from './code.js'

interface Rule<M> {
  name?: string
  match?: readonly M[]
}

/** Warns of rules and matches that an earlier one leaves nothing: the very same match, or a second rule without matches. */
export function warnUnreachable<M extends object>(rules: readonly Rule<M>[] | undefined, site: Site, key: string): void {
  const seen: { rule: number; match: M }[] = []
  let catchAll = false
  rules?.forEach((rule, r) => {
    const at = into(into(site, key), r)
    const matches = rule.match ?? []
    if (matches.length === 0) {
      if (catchAll)
        warn(at, CODE.unreachable, `virtualService rule ${nameOf(rule, r)} not used (only the last rule can have no matches)`)
      catchAll = true
      return
    }
    let duplicates = 0
    matches.forEach((match, m) => {
      const earlier = seen.find((other) => equal(withoutName(match), withoutName(other.match)))
      if (earlier === undefined) {
        seen.push({ rule: r, match })
        return
      }
      duplicates++
      const by = nameOf(rules[earlier.rule] ?? {}, earlier.rule)
      const message = `virtualService rule ${nameOf(rule, r)} match ${nameOf(match, m)} is not used (duplicate/overlapping match in rule ${by})`
      warn(into(into(at, 'match'), m), CODE.unreachableMatch, message)
    })
    if (duplicates === matches.length)
      warn(at, CODE.unreachable, `virtualService rule ${nameOf(rule, r)} not used (all matches used by prior rules)`)
  })
}

function withoutName({ name: _, ...rest }: { name?: string }): object {
  return rest
}

interface PrefixMatch {
  rule: HTTPRoute
  r: number
  match: HTTPMatchRequest
  m: number
  prefix: string
}

/** Warns of a match whose URI prefix lies within an earlier prefix that asks for nothing more. */
export function warnCoveredPrefixes(rules: readonly HTTPRoute[] | undefined, site: Site): void {
  const prefixes: PrefixMatch[] = (rules ?? []).flatMap((rule, r) =>
    (rule.match ?? []).flatMap((match, m) =>
      match.uri !== undefined && 'prefix' in match.uri && match.uri.prefix !== ''
        ? [{ rule, r, match, m, prefix: match.uri.prefix }]
        : [],
    ),
  )
  prefixes.forEach((later, i) => {
    for (const earlier of prefixes.slice(0, i)) {
      if (earlier.prefix === later.prefix || !later.prefix.startsWith(earlier.prefix) || !asksNoMore(earlier.match, later.match))
        continue
      const what = `${nameOf(later.match, later.m)} of prefix ${later.prefix}`
      const by = `${nameOf(earlier.match, earlier.m)} of prefix ${earlier.prefix} on ${nameOf(earlier.rule, earlier.r)}`
      const at = into(into(into(into(site, 'http'), later.r), 'match'), later.m)
      warn(
        at,
        CODE.unreachableMatch,
        `virtualService rule ${nameOf(later.rule, later.r)} match ${what} is not used (duplicate/overlapping match in rule ${by})`,
      )
    }
  })
}

function asksNoMore(earlier: HTTPMatchRequest, later: HTTPMatchRequest): boolean {
  return (
    (earlier.port ?? 0) === (later.port ?? 0) &&
    textOf(earlier.method, 'exact:GET').startsWith(textOf(later.method, 'exact:GET')) &&
    textOf(earlier.authority, '').startsWith(textOf(later.authority, '')) &&
    mapAsksNoMore(earlier.headers, later.headers) &&
    mapAsksNoMore(earlier.queryParams, later.queryParams) &&
    mapAsksNoMore(earlier.withoutHeaders, later.withoutHeaders)
  )
}

type Matches = Readonly<Record<string, StringMatch | undefined>>

function mapAsksNoMore(earlier: Matches = {}, later: Matches = {}): boolean {
  const names = Object.keys(earlier)
  if (names.length !== Object.keys(later).length) return false
  return names.every((name) => Object.hasOwn(later, name) && textOf(earlier[name], '').startsWith(textOf(later[name], '')))
}

function textOf(match: StringMatch | undefined, fallback: string): string {
  if (match === undefined) return fallback
  if ('exact' in match && match.exact !== '') return `exact:${match.exact}`
  if ('prefix' in match && match.prefix !== '') return `prefix:${match.prefix}`
  return fallback
}

function nameOf({ name }: { name?: string }, i: number): string {
  return name === undefined || name === '' ? `#${i}` : JSON.stringify(name)
}
