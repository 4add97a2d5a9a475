import { describe, expect, it } from 'vitest'
import { createProxy, type ProxyServer } from '../src/index.js'
import { ask, httpManager, later, listener, routes, socketAddress, staticCluster, until, upstream } from './support.js'

const FORMAT =
  '%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER% %ROUTE_NAME% %BYTES_SENT%\n'

const logged = (list: readonly object[]): object =>
  httpManager(
    { route_config: { name: 'local', ...routes(list) } },
    {
      access_log: [
        {
          name: 'envoy.access_loggers.stdout',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
            log_format: { text_format_source: { inline_string: FORMAT } },
          },
        },
      ],
    },
  )

interface Running {
  proxy: ProxyServer
  port: number
  admin: number
  lines: string[]
}

async function start(list: readonly object[], clusters: readonly object[]): Promise<Running> {
  const lines: string[] = []
  const proxy = createProxy({
    bootstrap: {
      node: { id: 'test', cluster: 'test' },
      admin: { address: socketAddress(0) },
      static_resources: { listeners: [listener('ingress', logged(list))], clusters },
    },
    accessLogSinks: () => ({ write: (line) => lines.push(line) }),
    drainTimeMs: 60_000,
  })
  await proxy.start()
  later(() => proxy.close())
  return { proxy, port: proxy.listeners[0]?.address.port ?? 0, admin: proxy.adminAddress?.port ?? 0, lines }
}

describe('a proxy from a static bootstrap', () => {
  it('routes, counts and logs a request', async () => {
    const web = await upstream((request, response) => response.end(`${request.method} ${request.url} of ${request.headers.host}`))
    const { proxy, port, admin, lines } = await start(
      [{ name: 'api', match: { prefix: '/api/' }, route: { cluster: 'web', prefix_rewrite: '/' } }],
      [staticCluster('web', [web])],
    )
    expect(proxy.ready.current).toBe(true)
    const answer = await ask(port, '/api/hello', { headers: { host: 'web.example' } })
    expect(answer).toMatchObject({ status: 200, body: 'GET /hello of web.example', headers: { server: 'envoy' } })
    expect(await ask(port, '/other')).toMatchObject({ status: 404 })
    expect(lines).toEqual(['GET /api/hello 200 - via_upstream web api 25\n', 'GET /other 404 NR route_not_found - - 0\n'])
    const stats = (await ask(admin, '/stats')).body
    expect(stats).toContain('http.ingress.downstream_rq_2xx: 1\n')
    expect(stats).toContain('http.ingress.downstream_rq_4xx: 1\n')
    expect(stats).toContain('cluster.web.upstream_rq_200: 1\n')
    expect((await ask(admin, '/clusters')).body).toContain(`web::127.0.0.1:${web}::rq_success::1\n`)
    expect((await ask(admin, '/ready')).body).toBe('LIVE\n')
  })

  it('tries again as the route says', async () => {
    let attempts = 0
    const web = await upstream((request, response) => {
      attempts++
      request.resume()
      response.writeHead(attempts < 3 ? 503 : 200).end()
    })
    const { port, admin, lines } = await start(
      [{ match: { prefix: '/' }, route: { cluster: 'web', retry_policy: { retry_on: '5xx', num_retries: 3 } } }],
      [staticCluster('web', [web])],
    )
    expect((await ask(port, '/', { method: 'POST', body: 'again' })).status).toBe(200)
    expect(attempts).toBe(3)
    expect(lines).toHaveLength(1)
    expect((await ask(admin, '/stats?filter=upstream_rq_retry$')).body).toBe('cluster.web.upstream_rq_retry: 2\n')
  })

  it('answers 503 when nobody is there', async () => {
    const { port, lines } = await start([{ match: { prefix: '/' }, route: { cluster: 'web' } }], [staticCluster('web', [1])])
    expect((await ask(port, '/')).status).toBe(503)
    expect(lines[0]).toMatch(/^GET \/ 503 UF upstream_reset_before_response_started/)
  })

  it('drains: what is under way ends well, new connections are refused', async () => {
    let answer: (() => void) | undefined
    const web = await upstream((_, response) => {
      answer = () => response.end('late')
    })
    const { proxy, port, admin } = await start(
      [{ match: { prefix: '/' }, route: { cluster: 'web' } }],
      [staticCluster('web', [web])],
    )
    const underWay = ask(port, '/')
    await until('the upstream is asked', () => answer !== undefined)
    const drained = proxy.drain()
    await until('the port refuses', () =>
      ask(port, '/').then(
        () => false,
        (error: Error) => error.message.includes('ECONNREFUSED'),
      ),
    )
    expect(await ask(admin, '/ready')).toMatchObject({ status: 503, body: 'DRAINING\n' })
    answer?.()
    expect(await underWay).toMatchObject({ status: 200, body: 'late', headers: { connection: 'close' } })
    await drained
  })
})

describe('what keeps a proxy from starting', () => {
  it('is named by its field', () => {
    const clusters = [staticCluster('web', [1], { common_lb_config: { healthy_panic_threshold: { value: 'x' } } })]
    expect(() => createProxy({ bootstrap: { static_resources: { clusters } } })).toThrow(
      /static_resources\.clusters\[0\]\.common_lb_config\.healthy_panic_threshold\.value/,
    )
  })

  it('is named by its resource, with the path inside, for what cannot be done', async () => {
    const manager = httpManager(
      { route_config: routes([{ match: { prefix: '/' }, route: { cluster: 'web' } }]) },
      { codec_type: 'HTTP3' },
    )
    const proxy = createProxy({ bootstrap: { static_resources: { listeners: [listener('ingress', manager)] } } })
    await expect(proxy.start()).rejects.toThrow(/ingress: filter_chains\[0\]\.filters\[0\]/)
  })

  it('is an address that is taken', async () => {
    const taken = await upstream(() => {})
    const manager = httpManager({ route_config: routes([]) })
    const proxy = createProxy({ bootstrap: { static_resources: { listeners: [listener('ingress', manager, taken)] } } })
    await expect(proxy.start()).rejects.toThrow(`cannot listen on 127.0.0.1:${taken}`)
  })
})
