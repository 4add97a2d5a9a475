import { Agent, request } from 'node:http'
import { createProxy } from '@heddle/proxy-core'
import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { describeCell } from '../src/cell.js'
import { startEnvoy } from '../src/envoy.js'
import { freePorts } from '../src/free-ports.js'
import { type PolicyCase, type PolicyRequest, randomPolicyCases } from '../src/random-policies.js'
import { findEnvoy } from '../src/tools.js'

// The same policies and requests for both: each set is a route's own, chosen by a header.
const SETS = 200
const REQUESTS = 10
const AT_ONCE = 8
const TYPE = 'type.googleapis.com/envoy.extensions.filters'

const tool = findEnvoy()

describeCell({ controlPlane: 'a static bootstrap', dataPlane: '@heddle/proxy-core beside Envoy: RBAC', tool }, () => {
  test('2,000 random policy sets and requests are judged alike', async () => {
    const cases = randomPolicyCases(createSeededRandom(10), SETS, REQUESTS)
    const [envoyPort = 0, ownPort = 0] = await freePorts(2)
    const envoy = await startEnvoy(tool, bootstrapOf(cases, envoyPort))
    const proxy = createProxy({ bootstrap: { node: { id: 'test', cluster: 'test' }, ...bootstrapOf(cases, ownPort) } })
    try {
      await proxy.start()
      const [theirs, ours] = [await judge(envoyPort, cases), await judge(ownPort, cases)]
      const differences = theirs.flatMap((status, i) => {
        const { rules, requests } = cases[Math.floor(i / REQUESTS)]!
        return status === ours[i] ? [] : [{ envoy: status, heddle: ours[i], rules, request: requests[i % REQUESTS] }]
      })
      expect(differences.slice(0, 3)).toEqual([])
      const allowed = theirs.filter((status) => status === 200).length
      expect([theirs.length, allowed > 400, allowed < 1600]).toEqual([SETS * REQUESTS, true, true])
    } finally {
      await proxy.close()
      await envoy.close()
    }
  }, 60_000)
})

function bootstrapOf(cases: readonly PolicyCase[], port: number): { static_resources: object } {
  const routes = cases.map(({ rules }, i) => ({
    match: { prefix: '/', headers: [{ name: 'x-case', string_match: { exact: String(i) } }] },
    direct_response: { status: 200 },
    typed_per_filter_config: {
      'envoy.filters.http.rbac': { '@type': `${TYPE}.http.rbac.v3.RBACPerRoute`, rbac: { rules } },
    },
  }))
  const manager = {
    '@type': `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: { name: 'local', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      { name: 'envoy.filters.http.rbac', typed_config: { '@type': `${TYPE}.http.rbac.v3.RBAC` } },
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPE}.http.router.v3.Router` } },
    ],
  }
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager }
  const address = { socket_address: { address: '127.0.0.1', port_value: port } }
  return { static_resources: { listeners: [{ name: 'in', address, filter_chains: [{ filters: [filter] }] }] } }
}

async function judge(port: number, cases: readonly PolicyCase[]): Promise<number[]> {
  const agents = new Map<string, Agent>()
  const agentOf = (from: string): Agent => {
    const known = agents.get(from) ?? new Agent({ keepAlive: true, maxSockets: AT_ONCE })
    agents.set(from, known)
    return known
  }
  const asked = cases.flatMap(({ requests }, i) => requests.map((one) => [i, one] as const))
  const statuses: number[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < asked.length; at = next++) {
      const [i, one] = asked[at]!
      statuses[at] = await ask(port, agentOf(one.from), i, one)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  for (const agent of agents.values()) agent.destroy()
  return statuses
}

function ask(port: number, agent: Agent, index: number, { method, host, path, headers, from }: PolicyRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines = ['host', host, 'x-case', String(index), 'content-length', '0', ...headers.flat()]
    const options = { agent, host: '127.0.0.1', port, localAddress: from, method, path, setHost: false }
    const outgoing = request(options, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    for (let i = 0; i < lines.length; i += 2) outgoing.appendHeader(lines[i]!, lines[i + 1]!)
    outgoing.once('error', reject)
    outgoing.end()
  })
}
