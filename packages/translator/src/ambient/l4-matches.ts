import type { Address, ServiceAccountMatch, StringMatch } from '@heddle/xds-types/istio/security'
import { parseAddress } from '../addresses.js'

/** How an L4 proxy compares the values of AuthorizationPolicy. Values that are none (a port `http`, an address `a.b`) are left out. */

type Values = readonly string[] | undefined

/** `*` is any value that is there, `*suffix`, `prefix*`, or the very text. */
export function stringMatches(values: Values): StringMatch[] {
  return (values ?? []).map((value) => {
    if (value === '*') return { presence: {} }
    if (value.startsWith('*')) return { suffix: value.slice(1) }
    return value.endsWith('*') ? { prefix: value.slice(0, -1) } : { exact: value }
  })
}

/** `namespace/name`, or a name of the policy's own namespace. */
export function serviceAccountMatches(values: Values, policyNamespace: string): ServiceAccountMatch[] {
  return (values ?? []).map((value) => {
    const slash = value.indexOf('/')
    return slash < 0
      ? { namespace: policyNamespace, serviceAccount: value }
      : { namespace: value.slice(0, slash), serviceAccount: value.slice(slash + 1) }
  })
}

export function portMatches(values: Values): number[] {
  return (values ?? [])
    .filter((value) => /^\d+$/.test(value))
    .map(Number)
    .filter((port) => port <= 65_535)
}

/** Addresses and ranges. The bits behind a range's prefix stay as they are written. */
export function addressMatches(values: Values): Address[] {
  return (values ?? []).flatMap((value) => {
    const slash = value.indexOf('/')
    const address = parseAddress(slash < 0 ? value : value.slice(0, slash))
    if (address === undefined) return []
    const bits = address.length * 8
    const length = slash < 0 ? bits : Number(value.slice(slash + 1))
    return Number.isInteger(length) && length >= 0 && length <= bits ? [{ address, length }] : []
  })
}
