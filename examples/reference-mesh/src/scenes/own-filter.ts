import { createProxy, defaultHttpFilters, middleware } from '@heddle/proxy-core'
import { ask } from '../outside.js'
import { createPorts } from '../ports.js'
import type { Scene } from '../scene.js'

const TYPE = 'type.googleapis.com/envoy.extensions.filters'
const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })

/** One function around each request: who has no key goes no further, and answers say who has called. */
const apiKeys = middleware<{ keys: Readonly<Record<string, string>> }>({
  typeName: 'example.com.ApiKeys',
  async run(request, next, { config }) {
    const name = config.keys[request.headers.get('x-api-key') ?? '']
    if (name === undefined) return { status: 401, body: 'who are you?', details: 'api_key_missing' }
    request.headers.delete('x-api-key')
    const response = await next()
    response.headers.set('x-caller', name)
    return response
  },
})

/** An edge in this very process, in front of the mesh's gateway. */
function edgeOf(port: number, gatewayPort: number): object {
  const http = {
    '@type': `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'edge',
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'gateway' } }] }],
    },
    http_filters: [
      {
        name: 'api-keys',
        typed_config: {
          '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
          type_url: 'type.googleapis.com/example.com.ApiKeys',
          value: { keys: { k1: 'ann' } },
        },
      },
      { name: 'router', typed_config: { '@type': `${TYPE}.http.router.v3.Router` } },
    ],
  }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(gatewayPort) } }] }]
  return {
    static_resources: {
      listeners: [{ name: 'edge', address: at(port), filter_chains: [{ filters: [{ name: 'http', typed_config: http }] }] }],
      clusters: [{ name: 'gateway', connect_timeout: '1s', load_assignment: { cluster_name: 'gateway', endpoints } }],
    },
  }
}

export const ownFilter: Scene = {
  title: "A user's own filter, one function, in an edge proxy",
  async run(mesh, report) {
    const port = await createPorts().next()
    const edge = createProxy({
      bootstrap: edgeOf(port, mesh.gatewayPort),
      filters: [...defaultHttpFilters, apiKeys],
      drainTimeMs: 0,
    })
    await edge.start()
    try {
      const url = `http://127.0.0.1:${port}/`
      const stranger = await ask(url, { headers: { host: 'apps.example' } })
      report.check(
        stranger.status === 401 && stranger.body === 'who are you?',
        `without a key: ${stranger.status}, no app was asked`,
      )
      const known = await ask(url, { headers: { host: 'apps.example', 'x-api-key': 'k1' } })
      report.check(
        known.status === 200 && known.body === 'c1',
        `with a key: ${known.status} from ${known.body}, through gateway and mTLS`,
      )
    } finally {
      await edge.close()
    }
  },
}
