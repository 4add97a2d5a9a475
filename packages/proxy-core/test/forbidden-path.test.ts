import { Agent, request } from 'node:http'
import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createProxy } from '../src/index.js'
import { httpManager, later, listener, routes, staticCluster, TYPES, upstream } from './support.js'

const SPELLINGS = 10_000
const AT_ONCE = 16
const random = createSeededRandom(33)
const below = (count: number): number => Math.floor(random.next() * count)
const one = <T>(...of: readonly T[]): T => of[below(of.length)]!

/** `/admin` or something below it, as somebody would write it who wants to get past a rule about it. */
function spelling(): string {
  let path = `/admin${one('', '', '/', '/users', '/users/1')}`
  if (below(3) === 0) path = path.replace('/', `${one('/.', '/./.', '/x/..', '/x/./..', '/x/y/../..', '//x/..')}/`)
  path = path.replaceAll('/', () => one('/', '/', '/', '//', '///', '/./', '\\', '%2F', '%2f', '%5C', '%5c'))
  path = path.replace(/[a-z.]/g, (letter) => {
    const hex = letter.charCodeAt(0).toString(16)
    return below(6) === 0 ? `%${one(hex, hex.toUpperCase())}` : letter
  })
  // Only a path that begins with a slash gets as far as a rule.
  return (path.startsWith('/') ? path : `/${path}`) + one('', '', '', '?', '?x=1', '#', '#x', '?#', '#?', '?/../..')
}

/** What the most lenient of backends would make of a path. */
function leniently(url: string): string {
  const decoded = url
    .split(/[?#]/)[0]!
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const parts: string[] = []
  for (const part of decoded.replaceAll('\\', '/').split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

const RULES = {
  action: 'DENY',
  policies: { admin: { permissions: [{ url_path: { path: { prefix: '/admin' } } }], principals: [{ any: true }] } },
}

it('10,000 spellings of a forbidden path: none reaches the backend', { timeout: 120_000 }, async () => {
  const reached: string[] = []
  const web = await upstream((incoming, response) => {
    if (leniently(incoming.url ?? '').startsWith('/admin')) reached.push(incoming.url ?? '')
    response.end()
  })
  const filters = [
    { name: 'envoy.filters.http.rbac', typed_config: { '@type': `${TYPES}.http.rbac.v3.RBAC`, rules: RULES } },
    { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } },
  ]
  const manager = httpManager(
    { route_config: { name: 'local', ...routes([{ match: { prefix: '/' }, route: { cluster: 'web' } }]) } },
    {
      http_filters: filters,
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
    },
  )
  const proxy = createProxy({
    bootstrap: {
      node: { id: 'test', cluster: 'test' },
      static_resources: { listeners: [listener('in', manager)], clusters: [staticCluster('web', [web])] },
    },
  })
  await proxy.start()
  later(() => proxy.close())
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  later(async () => agent.destroy())
  const statuses = new Map<number, number>()
  let left = SPELLINGS
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const status = await statusOf(agent, proxy.listeners[0]?.address.port ?? 0, spelling())
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  expect(reached).toEqual([])
  expect([...statuses.keys()].filter((status) => ![200, 400, 403].includes(status))).toEqual([])
  // The rule itself refuses most of them; the rest are refused before it, or are another path to everybody.
  expect(statuses.get(403) ?? 0).toBeGreaterThan(SPELLINGS / 2)
  expect(statuses.get(200) ?? 0).toBeLessThan(SPELLINGS / 10)
})

function statusOf(agent: Agent, port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: '127.0.0.1', port, path }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}
