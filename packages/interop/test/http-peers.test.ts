import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProxy } from '@heddle/proxy-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../src/cell.js'
import { type Child, runChild, startChild } from '../src/child.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { findCurl, findH2load, findNginx } from '../src/tools.js'

// curl and h2load ask an app of Node's, through our proxy and through nginx: who stands between must make no difference.

const FILTERS = 'type.googleapis.com/envoy.extensions.filters'
const CURL = findCurl().path
const closers: (() => unknown)[] = []
const folder = mkdtempSync(join(tmpdir(), 'heddle-peers-'))
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  rmSync(folder, { recursive: true })
})

const ports = { app: 0, ours: 0, nginx: 0, nginxHttp2: 0 }

/** `/STATUS/SIZE/PIECES`: so much in so many writes; with a length when there are none. */
async function startApp(): Promise<number> {
  const app = createServer((request, response) => {
    const hash = createHash('sha256')
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      hash.update(chunk)
    })
    request.on('end', () => {
      const [, status = 200, size = 0, pieces = 0] = (request.url ?? '').split('/').map(Number)
      const body = Buffer.alloc(size, 'heddle-')
      response.writeHead(status, {
        'x-request': `${request.method} ${request.url} ${length} ${hash.digest('hex')} ${request.headers['x-sent'] ?? '-'}`,
        ...(status !== 204 && { 'content-type': 'text/plain' }),
        'set-cookie': ['a=1', 'b=2'],
        ...(pieces === 0 && status !== 204 && { 'content-length': size }),
      })
      const step = Math.max(1, Math.ceil(size / Math.max(1, pieces)))
      for (let at = 0; at < size; at += step) response.write(body.subarray(at, at + step))
      response.end()
    })
  })
  app.keepAliveTimeout = 600_000
  app.listen(0, '127.0.0.1')
  await once(app, 'listening')
  closers.push(() => {
    app.closeAllConnections()
    app.close()
  })
  return (app.address() as AddressInfo).port
}

async function startOurs(port: number, upstreamPort: number): Promise<void> {
  const address = (port_value: number) => ({ socket_address: { address: '127.0.0.1', port_value } })
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'app' } }]
  const manager = {
    '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [{ name: 'router', typed_config: { '@type': `${FILTERS}.http.router.v3.Router` } }],
  }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(upstreamPort) } }] }]
  const proxy = createProxy({
    bootstrap: {
      static_resources: {
        listeners: [
          { name: 'in', address: address(port), filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] },
        ],
        clusters: [{ name: 'app', connect_timeout: '20s', load_assignment: { cluster_name: 'app', endpoints } }],
      },
    },
  })
  await proxy.start()
  closers.push(() => proxy.close())
}

async function startNginx(): Promise<Child> {
  const file = join(folder, 'nginx.conf')
  const server = (listen: string): string =>
    `server { listen 127.0.0.1:${listen}; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; } }`
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ')
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr; events { worker_connections 256; }
http { access_log off; client_max_body_size 10m; client_body_buffer_size 10m; proxy_request_buffering off; proxy_buffering off; ${places} upstream app { server 127.0.0.1:${ports.app}; keepalive 8; }
${server(String(ports.nginx))} ${server(`${ports.nginxHttp2} http2`)} }`,
  )
  const nginx = startChild(findNginx().path, ['-p', folder, '-e', 'stderr', '-c', file])
  closers.push(() => nginx.stop())
  await eventually(
    () => fetch(`http://127.0.0.1:${ports.nginx}/200/0/0`).then(({ status }) => status),
    (status) => status === 200,
  )
  return nginx
}

/** What everyone who stands between may say in its own way. */
const HOPS = new Set(['server', 'date', 'connection', 'keep-alive', 'transfer-encoding', 'x-envoy-upstream-service-time'])

interface Answer {
  readonly status: number
  readonly fields: readonly string[]
  readonly body: string
}

let calls = 0

async function curl(port: number, path: string, flags: readonly string[]): Promise<Answer> {
  const [head, body] = [join(folder, `head-${++calls}`), join(folder, `body-${calls}`)]
  writeFileSync(body, '')
  const words = ['-sS', '--max-time', '60', '-D', head, '-o', body, '-w', '%{http_code}', ...flags]
  const status = await runChild(CURL, [...words, `http://127.0.0.1:${port}${path}`])
  // The last head: an interim answer has one of its own.
  const lines = readFileSync(head, 'latin1').trim().split('\r\n\r\n').at(-1)!.split('\r\n').slice(1)
  const fields = lines.map((line) => `${line.slice(0, line.indexOf(':')).toLowerCase()}${line.slice(line.indexOf(':'))}`)
  return {
    status: Number(status),
    fields: fields.filter((line) => !HOPS.has(line.slice(0, line.indexOf(':')))).sort(),
    // Of HEAD curl writes the fields in the body's place.
    body: flags.includes('-I') ? '' : createHash('sha256').update(readFileSync(body)).digest('hex'),
  }
}

describeWith(findNginx(), 'beside nginx', () => {
  beforeAll(async () => {
    ports.app = await startApp()
    const [ours = 0, nginx = 0, nginxHttp2 = 0] = await freePorts(3)
    Object.assign(ports, { ours, nginx, nginxHttp2 })
    writeFileSync(join(folder, 'upload'), Buffer.alloc(300_000, 'up-'))
    await startOurs(ours, ports.app)
    await startNginx()
  })
  const upload = ['--data-binary', `@${folder}/upload`]

  describeWith(findCurl(), 'curl', () => {
    test.each<[string, string, readonly string[]]>([
      ['GET', '/200/10/0', []],
      ['GET of a megabyte in pieces', '/200/1000003/40', []],
      ['HEAD', '/200/10/0', ['-I']],
      ['204', '/204/0/0', []],
      ['304', '/304/0/0', []],
      ['404 with a body', '/404/300/3', []],
      ['500', '/500/0/0', []],
      ['POST', '/201/5/0', upload],
      ['POST that expects 100-continue', '/200/5/0', [...upload, '-H', 'Expect: 100-continue']],
      ['POST whose length is not told', '/200/5/1', ['-X', 'POST', '-T', `${folder}/upload`, '-H', 'Transfer-Encoding: chunked']],
      ['PUT', '/200/1/1', ['-T', `${folder}/upload`]],
      ['DELETE', '/200/0/0', ['-X', 'DELETE']],
      ['a field', '/200/0/0', ['-H', 'x-sent: a, "b"; c']],
    ])('%s', async (_, path, flags) => {
      // Over HTTP/2 a body needs no coding to go without its length.
      const http2 = flags.map((flag) => (flag.startsWith('Transfer-Encoding') ? 'x-none: 1' : flag))
      const [direct, ...between] = await Promise.all([
        curl(ports.app, path, ['--http1.1', ...flags]),
        curl(ports.ours, path, ['--http1.1', ...flags]),
        curl(ports.nginx, path, ['--http1.1', ...flags]),
        curl(ports.ours, path, ['--http2-prior-knowledge', ...http2]),
        curl(ports.nginxHttp2, path, ['--http2-prior-knowledge', ...http2]),
      ])
      for (const answer of between) expect(answer).toEqual(direct)
    })
  })

  test('pipelined requests are answered in order, as nginx does', async () => {
    const paths = ['/200/10/0', '/404/20/2', '/200/0/0', '/500/5/0']
    const sent = paths
      .map((path, i) => `GET ${path} HTTP/1.1\r\nhost: h\r\n${i === 3 ? 'connection: close\r\n' : ''}\r\n`)
      .join('')
    const told = async (port: number): Promise<readonly string[]> => {
      const socket = connect(port, '127.0.0.1', () => socket.write(sent))
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk) => (text += chunk))
      await once(socket, 'close')
      return [...text.matchAll(/HTTP\/1\.1 (\d+)|x-request: (\S+ \S+)/gi)].map(([, status, request]) => status ?? request ?? '')
    }
    const wanted = paths.flatMap((path) => [path.split('/')[1]!, `GET ${path}`])
    expect(await told(ports.nginx)).toEqual(wanted)
    expect(await told(ports.ours)).toEqual(wanted)
  })

  describeWith(findH2load(), 'h2load', () => {
    test.each([
      ['HTTP/2', []],
      ['HTTP/1.1', ['--h1']],
    ])('%s: a thousand requests over eight connections, and uploads, are answered', async (_, flags) => {
      for (const body of [[], ['-d', join(folder, 'upload')]]) {
        const count = body.length === 0 ? 1_000 : 50
        const words = [...flags, ...body, '-n', String(count), '-c', '8', '-m', flags.length === 0 ? '16' : '1']
        const report = await runChild(findH2load().path, [...words, `http://127.0.0.1:${ports.ours}/200/100/2`])
        expect(report).toContain(`${count} succeeded, 0 failed, 0 errored, 0 timeout`)
        expect(report).toContain(`status codes: ${count} 2xx, 0 3xx, 0 4xx, 0 5xx`)
      }
    })
  })
})
