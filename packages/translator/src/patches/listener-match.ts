import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { VIRTUAL_INBOUND, VIRTUAL_OUTBOUND } from '../names.js'
import type { Patch } from './envoy-filters.js'

const isVirtual = ({ name }: Listener): boolean => name === VIRTUAL_INBOUND || name === VIRTUAL_OUTBOUND

export function listenerMatches(listener: Listener, { applyTo, match }: Patch): boolean {
  const wanted = match.listener
  if (wanted === undefined) return true
  if (isSome(wanted.name) && wanted.name !== listener.name) return false
  // The ports of the virtual listeners are in their chains.
  if (applyTo !== 'LISTENER' && isVirtual(listener)) return true
  return isNone(wanted.portNumber) || listener.address?.socket_address?.port_value === wanted.portNumber
}

export function chainMatches(listener: Listener, chain: FilterChain, { match }: Patch): boolean {
  const wanted = match.listener
  if (wanted === undefined) return true
  const { filter_chain_match: has } = chain
  if (isVirtual(listener) && !isNone(wanted.portNumber) && has?.destination_port !== wanted.portNumber) return false
  const given = wanted.filterChain
  if (given === undefined) return true
  if (isSome(given.name) && given.name !== chain.name) return false
  if (isSome(given.sni) && !(has?.server_names ?? []).includes(given.sni ?? '')) return false
  if (isSome(given.transportProtocol) && has?.transport_protocol !== given.transportProtocol) return false
  const protocols = isSome(given.applicationProtocols) ? (given.applicationProtocols ?? '').split(',') : []
  if (!protocols.every((p) => (has?.application_protocols ?? []).includes(p))) return false
  return isNone(given.destinationPort) || has?.destination_port === given.destinationPort
}

/** Names that a patch gives for a listener filter, a network filter and an HTTP filter; undefined: it means all of them. */
export function filterNames({ match }: Patch): {
  listener: string | undefined
  network: string | undefined
  http: string | undefined
} {
  const { listenerFilter, filterChain } = match.listener ?? {}
  return {
    listener: isSome(listenerFilter) ? listenerFilter : undefined,
    network: filterChain?.filter === undefined ? undefined : (filterChain.filter.name ?? ''),
    http: filterChain?.filter?.subFilter === undefined ? undefined : (filterChain.filter.subFilter.name ?? ''),
  }
}

const isSome = (text: string | undefined): boolean => text !== undefined && text !== ''
const isNone = (port: number | undefined): boolean => port === undefined || port === 0
