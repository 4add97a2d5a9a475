import type { Random } from '@heddle/runtime'
import type { Endpoint } from '../endpoint.js'

/** What stands for an endpoint on rings and tables: `envoy.lb` metadata `hash_key`, its host name where configured, its address. */
export function hashKeyOf(endpoint: Endpoint, useHostname: boolean): string {
  const key = endpoint.metadata['envoy.lb']?.['hash_key']
  if (typeof key === 'string' && key !== '') return key
  if (useHostname && endpoint.hostname !== undefined) return endpoint.hostname
  const { address, port } = endpoint.address
  if (port === 0 && address.startsWith('/')) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** For a request without a hash. */
export function randomHash(random: Random): bigint {
  return (BigInt(Math.floor(random.next() * 2 ** 32)) << 32n) | BigInt(Math.floor(random.next() * 2 ** 32))
}
