import { fail, ok, problem } from '@heddle/runtime'
import { maskAddress } from '../../matcher/ip.js'
import { formatAddress } from '../../net/address.js'
import type { AccessLogEntry } from '../access-log.js'
import { type MakeOperator, type Operator, type PlainOperators, present } from './operator.js'
import { upstreamAddress } from './upstream.js'

type ReadAddress = (entry: AccessLogEntry) => string | undefined

/** Each address is told whole, without its port, and as its port alone. */
const ADDRESSES: Readonly<Record<string, ReadAddress>> = {
  DOWNSTREAM_REMOTE: ({ info }) => info.downstreamRemote,
  DOWNSTREAM_DIRECT_REMOTE: ({ info }) => info.downstreamDirectRemote ?? info.downstreamRemote,
  DOWNSTREAM_LOCAL: ({ info }) => info.downstreamLocal,
  DOWNSTREAM_DIRECT_LOCAL: ({ info, connection }) =>
    connection === undefined ? info.downstreamLocal : formatAddress(connection.local),
  UPSTREAM_LOCAL: ({ info }) => info.upstreamLocal,
  // Known once connected; UPSTREAM_HOST is known when an endpoint was chosen.
  UPSTREAM_REMOTE: ({ info }) => (info.upstreamLocal === undefined ? undefined : upstreamAddress(info.endpoint)),
}

/** Host and port of what `formatAddress` wrote. */
export function splitAddress(address: string | undefined): { host: string | undefined; port: number | undefined } {
  const parts = address === undefined ? null : /^(.*):(\d+)$/.exec(address)
  if (parts === null) return { host: address, port: undefined }
  return { host: (parts[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(parts[2]) }
}

function withoutPort(read: ReadAddress): MakeOperator {
  return (args, path) => {
    if (args === '') return ok((entry) => present(splitAddress(read(entry)).host))
    const bits = /^\d{1,3}$/.test(args) ? Number(args) : -1
    if (bits < 0 || bits > 128) return fail(problem('log.format', path, `(${args}) is no length of a prefix; write 0 to 128.`))
    return ok((entry) => maskAddress(splitAddress(read(entry)).host ?? '', bits))
  }
}

const plain: Record<string, Operator> = {
  // Of Envoy's internal listeners, which are not here.
  DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID: () => undefined,
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID: () => undefined,
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID: () => undefined,
}
const masked: Record<string, MakeOperator> = {}
for (const [name, read] of Object.entries(ADDRESSES)) {
  plain[`${name}_ADDRESS`] = (entry) => present(read(entry))
  plain[`${name}_PORT`] = (entry) => splitAddress(read(entry)).port
  masked[`${name}_ADDRESS_WITHOUT_PORT`] = withoutPort(read)
}

export const addressOperators: PlainOperators = plain
export const addressesWithoutPort: Readonly<Record<string, MakeOperator>> = masked
