import type { EffectiveVirtualService } from '@heddle/config-model'
import type { Route } from '@heddle/xds-types/envoy/config/route/v3'
import { bySpecificity } from '../hosts.js'

/** A host of a gateway's route configuration. */
export interface Host {
  readonly domain: string
  readonly port: number
  row: Row
  requireTls: boolean
}

/** The VirtualServices of a host, the oldest first. Hosts with the very same routes have the very same row, so that telling them alike is one look. */
export interface Row {
  readonly before: Row | undefined
  readonly routes: readonly Route[]
  readonly owner: EffectiveVirtualService | undefined
  /** The first row that has one VirtualService more, and others. */
  longer: Row | undefined
  others: Map<readonly Route[], Row> | undefined
  /** Of `collapse`: hosts with this row, those of one virtual host together. */
  groups: Host[][]
}

const NOTHING: readonly Route[] = []

/** One for a route configuration: of hosts without a VirtualService. */
export function emptyRow(): Row {
  return createRow(undefined, NOTHING, undefined)
}

function createRow(before: Row | undefined, routes: readonly Route[], owner: EffectiveVirtualService | undefined): Row {
  return { before, routes, owner, longer: undefined, others: undefined, groups: [] }
}

/** The row with one more VirtualService. */
export function longerRow(row: Row, owner: EffectiveVirtualService, routes: readonly Route[]): Row {
  if (row.longer === undefined) return (row.longer = createRow(row, routes, owner))
  if (row.longer.routes === routes) return row.longer
  row.others ??= new Map()
  let other = row.others.get(routes)
  if (other === undefined) row.others.set(routes, (other = createRow(row, routes, owner)))
  return other
}

/** From the oldest VirtualService to the youngest. */
export function membersOf(row: Row): readonly Row[] {
  const members: Row[] = []
  for (let member: Row = row; member.before !== undefined; member = member.before) members.push(member)
  return members.reverse()
}

/** Hosts that are one virtual host, named after the most specific. */
export interface AlikeHosts {
  readonly first: Host
  readonly domains: string[]
}

/** Hosts with the very same routes become one virtual host with several domains. */
export function collapse(hosts: Iterable<Host>): readonly AlikeHosts[] {
  const groups: Host[][] = []
  for (const host of hosts) {
    const { row, requireTls, port } = host
    const known = row.groups.find(([one]) => one?.requireTls === requireTls && one.port === port)
    if (known !== undefined) {
      known.push(host)
      continue
    }
    const fresh = [host]
    row.groups.push(fresh)
    groups.push(fresh)
  }
  return groups.map((group) => {
    // Most are written in order.
    const inOrder = group.every((host, i) => i === 0 || bySpecificity((group[i - 1] as Host).domain, host.domain) <= 0)
    const sorted = inOrder ? group : group.sort((a, b) => bySpecificity(a.domain, b.domain))
    return { first: sorted[0] as Host, domains: sorted.map(({ domain }) => domain) }
  })
}
