import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createProxy, type ProxyServer } from '../src/index.js'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function upstream(handler: Handler): Promise<number> {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  )
  return (server.address() as AddressInfo).port
}

interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const socketAddress = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })

const cluster = (name: string, ports: number[], extra: object = {}): object => ({
  name,
  type: 'STATIC',
  connect_timeout: '1s',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: socketAddress(port) } })) }],
  },
  ...extra,
})

const listener = (routes: object[]): object => ({
  name: 'ingress',
  address: socketAddress(0),
  filter_chains: [
    {
      filters: [
        {
          name: 'envoy.filters.network.http_connection_manager',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            stat_prefix: 'ingress',
            access_log: [
              {
                name: 'envoy.access_loggers.file',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
                  path: '/dev/stdout',
                  log_format: {
                    text_format_source: {
                      inline_string:
                        '%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER% %ROUTE_NAME% %BYTES_SENT%\n',
                    },
                  },
                },
              },
            ],
            route_config: { name: 'local', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
            http_filters: [
              {
                name: 'envoy.filters.http.router',
                typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
              },
            ],
          },
        },
      ],
    },
  ],
})

interface Running {
  proxy: ProxyServer
  port: number
  admin: number
  lines: string[]
}

async function start(listeners: object[], clusters: object[]): Promise<Running> {
  const lines: string[] = []
  const proxy = createProxy({
    bootstrap: {
      node: { id: 'test', cluster: 'test' },
      admin: { address: socketAddress(0) },
      static_resources: { listeners, clusters },
    },
    accessLogSinks: () => ({ write: (line) => lines.push(line) }),
    drainTimeMs: 1000,
  })
  await proxy.start()
  closing.push(() => proxy.close())
  return { proxy, port: proxy.listeners[0]?.address.port ?? 0, admin: proxy.adminAddress?.port ?? 0, lines }
}

describe('a proxy from a static bootstrap', () => {
  it('routes, counts and logs a request', async () => {
    const port = await upstream((request, response) =>
      response.end(`${request.method} ${request.url} of ${request.headers.host}`),
    )
    const {
      proxy,
      port: listening,
      admin,
      lines,
    } = await start(
      [listener([{ name: 'api', match: { prefix: '/api/' }, route: { cluster: 'web', prefix_rewrite: '/' } }])],
      [cluster('web', [port])],
    )
    expect(proxy.ready.current).toBe(true)
    const answer = await ask(listening, '/api/hello', { headers: { host: 'web.example' } })
    expect(answer).toMatchObject({ status: 200, body: 'GET /hello of web.example', headers: { server: 'envoy' } })
    expect(await ask(listening, '/other')).toMatchObject({ status: 404 })
    expect(lines).toEqual(['GET /api/hello 200 - via_upstream web api 25\n', 'GET /other 404 NR route_not_found - - 0\n'])
    const stats = (await ask(admin, '/stats')).body
    expect(stats).toContain('http.ingress.downstream_rq_2xx: 1\n')
    expect(stats).toContain('http.ingress.downstream_rq_4xx: 1\n')
    expect(stats).toContain('cluster.web.upstream_rq_200: 1\n')
    expect((await ask(admin, '/clusters')).body).toContain(`web::127.0.0.1:${port}::rq_success::1\n`)
    expect((await ask(admin, '/ready')).body).toBe('LIVE\n')
  })

  it('tries again as the route says', async () => {
    let attempts = 0
    const port = await upstream((request, response) => {
      attempts++
      request.resume()
      response.writeHead(attempts < 3 ? 503 : 200).end(`attempt ${request.headers['x-envoy-attempt-count'] ?? '?'}`)
    })
    const {
      port: listening,
      admin,
      lines,
    } = await start(
      [listener([{ match: { prefix: '/' }, route: { cluster: 'web', retry_policy: { retry_on: '5xx', num_retries: 3 } } }])],
      [cluster('web', [port])],
    )
    const answer = await ask(listening, '/', { method: 'POST', body: 'again' })
    expect(answer.status).toBe(200)
    expect(attempts).toBe(3)
    expect(lines).toHaveLength(1)
    expect((await ask(admin, '/stats?filter=upstream_rq_retry')).body).toContain('cluster.web.upstream_rq_retry: 2\n')
  })

  it('answers 503 when nobody is there', async () => {
    const { port: listening, lines } = await start(
      [listener([{ match: { prefix: '/' }, route: { cluster: 'web' } }])],
      [cluster('web', [1])],
    )
    expect((await ask(listening, '/')).status).toBe(503)
    expect(lines[0]).toMatch(/^GET \/ 503 UF upstream_reset_before_response_started/)
  })

  it('refuses to start with reasons that name the field', async () => {
    const bad = cluster('web', [1], {
      lb_policy: 'CLUSTER_PROVIDED',
      common_lb_config: { healthy_panic_threshold: { value: 'x' } },
    })
    expect(() => createProxy({ bootstrap: { static_resources: { clusters: [bad] } } })).toThrow(
      /static_resources\.clusters\[0\]\.common_lb_config/,
    )
  })
})
