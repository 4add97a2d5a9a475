import type { Headers } from '@heddle/config-model'
import { createSideTable, type SideTable } from '@heddle/runtime'
import type { HeaderValueOption } from '@heddle/xds-types/envoy/config/core/v3'

/** Header changes of a route or of a weighted cluster, in Envoy's four lists. */
export interface HeaderChanges {
  readonly request_headers_to_add?: readonly HeaderValueOption[]
  readonly request_headers_to_remove?: readonly string[]
  readonly response_headers_to_add?: readonly HeaderValueOption[]
  readonly response_headers_to_remove?: readonly string[]
}

export const NO_CHANGES: HeaderChanges = {}
const NONE: readonly never[] = []

/** Sets before adds, each sorted by name. Pseudo headers and Host are not headers here: see {@link authorityOf}. */
export function headerChanges(headers: Headers | undefined): HeaderChanges {
  return headers === undefined ? NO_CHANGES : knownOf(headers).changes
}

interface Known {
  readonly changes: HeaderChanges
  readonly authority: string | undefined
}

// A rule is translated for each gateway and port.
const known: SideTable<Known> = createSideTable()

function knownOf(headers: Headers): Known {
  let of = known.of(headers)
  if (of === undefined) known.set(headers, (of = { changes: changesOf(headers), authority: authorityIn(headers) }))
  return of
}

function changesOf({ request, response }: Headers): HeaderChanges {
  return {
    ...list('request_headers_to_add', [
      ...options(request?.set, 'OVERWRITE_IF_EXISTS_OR_ADD'),
      ...options(request?.add, undefined),
    ]),
    ...list('request_headers_to_remove', (request?.remove ?? []).filter(isOrdinary)),
    ...list('response_headers_to_add', [
      ...options(response?.set, 'OVERWRITE_IF_EXISTS_OR_ADD'),
      ...options(response?.add, undefined),
    ]),
    ...list('response_headers_to_remove', (response?.remove ?? []).filter(isOrdinary)),
  }
}

/** The authority that header operations ask for: `set` over `add`; undefined when they do not. */
export function authorityOf(headers: Headers | undefined): string | undefined {
  return headers === undefined ? undefined : knownOf(headers).authority
}

function authorityIn({ request }: Headers): string | undefined {
  const find = (from: Readonly<Record<string, string>> | undefined): string | undefined =>
    Object.entries(from ?? {}).findLast(([name]) => isAuthority(name))?.[1]
  return find(request?.set) ?? find(request?.add)
}

/** One after the other, list by list. */
export function joinChanges(first: HeaderChanges, second: HeaderChanges): HeaderChanges {
  if (second === NO_CHANGES) return first
  if (first === NO_CHANGES) return second
  const known = joined.of(first)
  if (known?.second === second) return known.changes
  const changes = join(first, second)
  joined.set(first, { second, changes })
  return changes
}

// Most rules have one destination.
const joined: SideTable<{ readonly second: HeaderChanges; readonly changes: HeaderChanges }> = createSideTable()

function join(first: HeaderChanges, second: HeaderChanges): HeaderChanges {
  const keys = [
    'request_headers_to_add',
    'request_headers_to_remove',
    'response_headers_to_add',
    'response_headers_to_remove',
  ] as const
  return Object.assign({}, ...keys.map((key) => list(key, [...(first[key] ?? []), ...(second[key] ?? [])])))
}

// APPEND_IF_EXISTS_OR_ADD is the enum's zero: proto JSON leaves it out.
function options(
  headers: Readonly<Record<string, string>> | undefined,
  action: 'OVERWRITE_IF_EXISTS_OR_ADD' | undefined,
): readonly HeaderValueOption[] {
  if (headers === undefined) return NONE
  return Object.entries(headers)
    .filter(([name]) => isOrdinary(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({
      header: { key, ...(value === '' ? {} : { value }) },
      ...(action === undefined ? {} : { append_action: action }),
    }))
}

function isOrdinary(name: string): boolean {
  return !name.startsWith(':') && name.toLowerCase() !== 'host'
}

function isAuthority(name: string): boolean {
  return name.toLowerCase() === ':authority' || name.toLowerCase() === 'host'
}

function list<K extends string, T>(key: K, values: readonly T[]): { [P in K]?: readonly T[] } {
  return (values.length === 0 ? {} : { [key]: values }) as { [P in K]?: readonly T[] }
}
