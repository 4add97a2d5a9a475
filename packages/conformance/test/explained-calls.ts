import type { SocketAddress } from '@heddle/proxy-core'
import type { Random } from '@heddle/runtime'
import { type Json, listAt, mapAt, type Resources, textAt } from '../src/suites/mesh.js'

/** Requests that a proxy's own configuration makes interesting: its addresses, its hosts, its paths, and some that nobody named. */

/** One HTTP/1.1 request in plain text, and where its connection meant to go. */
export interface SeededCall {
  readonly destination: SocketAddress
  readonly inbound: boolean
  readonly method: string
  readonly host: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  /** What every draw comes to, so that both sides decide alike. */
  readonly dice: number
}

export function seededCalls(resources: Resources, sidecar: boolean, count: number, random: Random): readonly SeededCall[] {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!
  const addresses = resources.listeners.flatMap(addressOf)
  const hosts = [...new Set(virtualHosts(resources).flatMap((host) => (host['domains'] as string[] | undefined) ?? []))]
  const words = wordsOf(resources)
  const names = hosts.length === 0 ? ['nobody.example'] : hosts
  return Array.from({ length: count }, () => {
    const { address, port } = addresses.length === 0 ? { address: '0.0.0.0', port: 80 } : one(addresses)
    const inbound = sidecar && random.next() < 0.3
    return {
      destination: { address: address === '0.0.0.0' || address === '::' ? '1.3.3.7' : address, port },
      inbound,
      method: one(['GET', 'GET', 'GET', 'POST', 'HEAD']),
      host: random.next() < 0.1 ? 'nobody.example' : one(names).replace('*', 'any'),
      path: random.next() < 0.3 ? '/' : one(words.paths),
      headers: random.next() < 0.3 ? [[one(words.headers), one(words.values)]] : [],
      dice: Math.floor(random.next() * 1000) / 1000,
    }
  })
}

function addressOf(listener: Json): readonly SocketAddress[] {
  const socket = mapAt(listener, 'address', 'socket_address')
  const port = socket?.['port_value']
  return typeof port === 'number' ? [{ address: textAt(socket, 'address'), port }] : []
}

function virtualHosts({ listeners, routes }: Resources): readonly Json[] {
  const inline = JSON.stringify(listeners).includes('"route_config"') ? listeners.flatMap(inlineRoutes) : []
  return [...routes, ...inline].flatMap((table) => listAt(table, 'virtual_hosts'))
}

function inlineRoutes(listener: Json): readonly Json[] {
  const chains: readonly Json[] = [...listAt(listener, 'filter_chains'), mapAt(listener, 'default_filter_chain') ?? {}]
  const filters = chains.flatMap((chain) => listAt(chain, 'filters'))
  return filters.flatMap((filter): readonly Json[] => {
    const table = mapAt(filter, 'typed_config', 'route_config')
    return table === undefined ? [] : [table]
  })
}

interface Words {
  readonly paths: readonly string[]
  readonly headers: readonly string[]
  readonly values: readonly string[]
}

/** What matchers of the routes speak of. */
function wordsOf(resources: Resources): Words {
  const [paths, headers, values] = [new Set(['/', '/other', '/a/b?c=d']), new Set(['x-any']), new Set(['any'])]
  for (const host of virtualHosts(resources)) {
    for (const route of listAt(host, 'routes')) {
      const match = mapAt(route, 'match')
      for (const field of ['prefix', 'path', 'path_separated_prefix'] as const) {
        const text = textAt(match, field)
        if (text.startsWith('/')) for (const path of [text, `${text}x`, `${text}/x`]) paths.add(path)
      }
      for (const header of listAt(match, 'headers')) {
        if (!textAt(header, 'name').startsWith(':')) headers.add(textAt(header, 'name'))
        for (const value of Object.values(mapAt(header, 'string_match') ?? {})) if (typeof value === 'string') values.add(value)
      }
    }
  }
  return { paths: [...paths], headers: [...headers], values: [...values] }
}
