import type { Random } from '@heddle/runtime'
import { formatAddress } from '../../net/address.js'
import type { Endpoint } from '../endpoint.js'

/** What stands for an endpoint on rings and tables: `envoy.lb` metadata `hash_key`, its host name where configured, its address. */
export function hashKeyOf(endpoint: Endpoint, useHostname: boolean): string {
  const key = endpoint.metadata['envoy.lb']?.['hash_key']
  if (typeof key === 'string' && key !== '') return key
  if (useHostname && endpoint.hostname !== undefined) return endpoint.hostname
  return formatAddress(endpoint.address)
}

/** For a request without a hash. */
export function randomHash(random: Random): bigint {
  return (BigInt(Math.floor(random.next() * 2 ** 32)) << 32n) | BigInt(Math.floor(random.next() * 2 ** 32))
}
