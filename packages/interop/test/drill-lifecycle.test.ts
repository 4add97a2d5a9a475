import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJwtAuthenticator, createSelfSignedAuthority, createTokenIssuer } from '@heddle/ca'
import { type ServeControlPlaneOptions, type ServedControlPlane, serveControlPlane } from '@heddle/mesh'
import { systemClock as clock } from '@heddle/runtime'
import { dump } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { heddleWords } from '../src/heddle-command.js'
import { sidecar } from '../src/kinds.js'
import { findEnvoy } from '../src/tools.js'

// `heddle agent` beside an app: its own process, and the proxy as a child of that one.
const tool = findEnvoy()
const required = process.env['HEDDLE_INTEROP'] !== undefined
const soak = process.env['HEDDLE_SOAK'] === '1'
if (tool.version === undefined && !required) console.log('skipped: no stock Envoy; scripts/install.sh brings it')

// S-IN-16: what Istio 1.0 writes beside the ports, which are the test's.
const FLAGS = {
  serviceCluster: 'cart.shop',
  drainDuration: '3s',
  parentShutdownDuration: '61s',
  discoveryRefreshDelay: '7s',
  connectTimeout: '9s',
  controlPlaneAuthPolicy: 'MUTUAL_TLS',
}

for (const envoy of [undefined, tool.path])
  describe.skipIf(envoy !== undefined && tool.version === undefined && !required)(
    `the life of ${envoy === undefined ? 'our proxy' : 'Envoy'} under an agent`,
    // One life, from its start to its end.
    { shuffle: false },
    () => life(envoy),
  )

function life(envoy: string | undefined): void {
  const [node = '', ...words] = heddleWords()
  let folder: string
  let app: Server
  let ports: Record<'grpc' | 'ca' | 'inbound' | 'admin' | 'status' | 'health' | 'prometheus', number>
  let agent: ChildProcess
  let log = ''
  const served: ServedControlPlane[] = []
  let options: Omit<ServeControlPlaneOptions, 'secureGrpcAddress'>
  let waiting: Promise<number | null>
  /** Requests that the app takes its time for. */
  let slowOnes = 0

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-life-'))
    app = createServer((req, res) => {
      if (req.url === '/metrics') return res.end('# TYPE cart_sold counter\ncart_sold 7\n# EOF\n')
      const wait = Number(req.headers['x-wait-ms'] ?? 0)
      if (wait > 0) slowOnes++
      setTimeout(() => res.end('ok'), wait)
    })
    await new Promise<void>((done) => app.listen(0, '127.0.0.1', done))
    const [grpc = 0, ca = 0, inbound = 0, admin = 0, status = 0, health = 0, prometheus = 0] = await freePorts(7)
    ports = { grpc, ca, inbound, admin, status, health, prometheus }
    const { port } = app.address() as AddressInfo
    writeFileSync(join(folder, 'mesh.yaml'), dump(sidecar('cart', { app: 'cart' }, inbound, port)))
    const [issuer, audience] = ['https://life.test', 'istio-ca']
    const tokens = await createTokenIssuer({ clock, issuer, audience })
    const authority = await createSelfSignedAuthority({ clock })
    writeFileSync(join(folder, 'root.pem'), authority.trustBundle.current.join('\n'))
    writeFileSync(join(folder, 'token'), await tokens.issue({ namespace: 'shop', serviceAccount: 'cart' }))
    const authenticate = createJwtAuthenticator({
      clock,
      jwks: () => tokens.jwks,
      issuer,
      audiences: [audience],
      trustDomain: 'cluster.local',
    })
    options = { config: folder, authority, authenticate }
    // For the first certificate; configuration comes from another address, later.
    served.push(await serveControlPlane({ ...options, secureGrpcAddress: `127.0.0.1:${ca}` }))
    const flags = {
      ...FLAGS,
      configPath: join(folder, 'proxy'),
      discoveryAddress: `127.0.0.1:${grpc}`,
      proxyAdminPort: admin,
      statusPort: status,
    }
    agent = spawn(
      node,
      [
        ...[...words, 'agent', 'sidecar', '--healthPort', String(health), '--prometheusPort', String(prometheus)],
        ...['--caAddress', `127.0.0.1:${ca}`, '--rootCert', join(folder, 'root.pem'), '--token', join(folder, 'token')],
        ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
        ...(envoy === undefined ? [] : ['--binaryPath', envoy, '--stock-envoy', '--concurrency', '1']),
      ],
      {
        env: {
          ...process.env,
          ...{ POD_NAME: 'cart', POD_NAMESPACE: 'shop', INSTANCE_IP: '127.0.0.1', SERVICE_ACCOUNT: 'cart' },
          ...{ ISTIO_META_INTERCEPTION_MODE: 'NONE', ISTIO_META_UNPRIVILEGED_POD: 'true' },
          ISTIO_METAJSON_LABELS: '{"app":"cart"}',
          ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify({ scrape: 'true', port: String(port), path: '/metrics' }),
          ISTIO_KUBE_APP_PROBERS: JSON.stringify({ '/app-health/cart/readyz': { httpGet: { path: '/', port } } }),
        },
      },
    )
    for (const stream of [agent.stdout, agent.stderr]) stream?.on('data', (bytes) => (log += String(bytes)))
    const hook = spawn(node, [...words, 'agent', 'wait', '--url', url('health', '/healthz/ready')])
    waiting = new Promise((done) => hook.once('exit', done))
  }, 60_000)

  afterAll(async () => {
    agent?.kill('SIGTERM')
    await Promise.all(served.map((one) => one.close()))
    app?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const url = (port: keyof typeof ports, path: string): string => `http://127.0.0.1:${ports[port]}${path}`
  const status = async (port: keyof typeof ports, path: string): Promise<number> =>
    (await fetch(url(port, path)).catch(() => undefined))?.status ?? 0
  const text = async (port: keyof typeof ports, path: string): Promise<string> => (await fetch(url(port, path))).text()
  const told = (error: unknown): never => {
    throw new Error(`${String(error)}\n${log.slice(-3_000)}`)
  }

  test('it is ready with the first configuration and not before, and the hook that holds the app ends then', async () => {
    await eventually(
      () => fetch(url('status', '/healthz/ready')).then((response) => response.text()),
      (why) => why.includes('no configuration yet'),
    ).catch(told)
    expect(await status('health', '/healthz/ready')).not.toBe(200)
    let held = true
    void waiting.then(() => (held = false))
    served.push(await serveControlPlane({ ...options, secureGrpcAddress: `127.0.0.1:${ports.grpc}` }))
    expect(held).toBe(true)
    await eventually(
      () => status('health', '/healthz/ready'),
      (code) => code === 200,
    ).catch(told)
    expect(await waiting).toBe(0)
    expect(await text('inbound', '/')).toBe('ok')
  }, 90_000)

  test('15020 has the metrics of the agent, the proxy and the app, and asks the app’s probes', async () => {
    const metrics = await text('status', '/stats/prometheus')
    expect(metrics).toMatch(/^heddle_agent_proxy_restarts 0$/m)
    expect(metrics).toMatch(/^envoy_cluster_/m)
    expect(metrics).toMatch(/^cart_sold 7$/m)
    expect(metrics).not.toContain('# EOF')
    expect(await status('status', '/app-health/cart/readyz')).toBe(200)
    expect(await status('status', '/app-health/other/readyz')).toBe(404)
    expect(await status('status', '/quitquitquit')).toBe(405)
  })

  test('every flag of Istio 1.0 shows in /server_info', async () => {
    const info = JSON.parse(await text('admin', '/server_info')) as {
      node: { cluster: string; metadata: { PROXY_CONFIG: object } }
    }
    expect(info.node.metadata.PROXY_CONFIG).toMatchObject({
      ...FLAGS,
      configPath: join(folder, 'proxy'),
      discoveryAddress: `127.0.0.1:${ports.grpc}`,
      proxyAdminPort: ports.admin,
      ...(envoy !== undefined && { binaryPath: envoy }),
    })
    expect(info.node.cluster).toBe('cart.shop')
  })

  test('killed under load it is back, and only requests of that moment fail', async () => {
    const pid = proxyPid()
    const load = startLoad(ports.inbound)
    await new Promise((done) => setTimeout(done, 500))
    const killed = performance.now()
    process.kill(pid, 'SIGKILL')
    await eventually(
      () => load.lastOk > killed + 20,
      (back) => back,
    ).catch(told)
    const away = load.lastOk - killed
    const cpu = cpuMs(childOf(agent.pid))
    await new Promise((done) => setTimeout(done, 500))
    const { sent, failed } = await load.stop()
    console.log(
      `${envoy === undefined ? 'our proxy' : 'Envoy'}: away for ${away.toFixed(0)} ms, ${cpu} ms of CPU; ${failed.length} of ${sent} requests failed`,
    )
    expect(sent - failed.length).toBeGreaterThan(20)
    // Those that were in flight, or were refused while nobody listened.
    for (const { started, ended } of failed) expect(ended >= killed && started <= killed + away).toBe(true)
    expect(await text('status', '/stats/prometheus')).toMatch(/^heddle_agent_proxy_restarts 1$/m)
    if (soak) expect(away).toBeLessThan(1_000)
  }, 60_000)

  test('SIGTERM lets what is open end: none fails', async () => {
    await eventually(
      () => status('health', '/healthz/ready'),
      (code) => code === 200,
    ).catch(told)
    const pool = new Agent({ keepAlive: true, maxSockets: 20 })
    const slow = Array.from({ length: 20 }, () => call(ports.inbound, { pool, waitMs: 1_000 }))
    await eventually(
      () => slowOnes,
      (count) => count === 20,
    )
    const ended = new Promise((done) => agent.once('exit', (code, signal) => done(code ?? signal)))
    agent.kill('SIGTERM')
    await eventually(
      () => status('status', '/healthz/ready'),
      (code) => code !== 200,
    )
    expect(await Promise.all(slow)).toEqual(Array(20).fill(200))
    pool.destroy()
    expect(await ended).toBe(0)
    expect(await status('admin', '/ready')).toBe(0)
  }, 60_000)

  test('an unknown flag is an error', async () => {
    const wrong = spawn(node, [...words, 'agent', 'sidecar', '--proxyColour', 'blue'])
    let said = ''
    wrong.stderr.on('data', (bytes) => (said += String(bytes)))
    expect(await new Promise((done) => wrong.once('close', done))).toBe(64)
    expect(said).toContain('--proxyColour')
  }, 60_000)

  const proxyPid = (): number => Number(/"pid":(\d+)/.exec(log)?.[1])
}

function call(port: number, { pool, waitMs = 0 }: { pool?: Agent; waitMs?: number } = {}): Promise<number> {
  return new Promise((done, reject) => {
    const req = request(
      { host: '127.0.0.1', port, agent: pool ?? false, headers: { host: 'cart', 'x-wait-ms': String(waitMs) } },
      (res) => {
        res.resume()
        res.on('end', () => done(res.statusCode ?? 0))
        res.on('error', reject)
      },
    )
    req.on('error', reject)
    req.setTimeout(10_000, () => req.destroy(new Error('timeout')))
    req.end()
  })
}

/** The newest process that another has started. */
function childOf(pid: number | undefined): number {
  return Math.max(...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number))
}

/** What a process has used so far; the kernel counts hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

interface Load {
  /** When the last request ended well. */
  readonly lastOk: number
  stop(): Promise<{ sent: number; failed: readonly { started: number; ended: number }[] }>
}

/** 200 requests a second, whatever becomes of them. */
function startLoad(port: number): Load {
  const pool = new Agent({ keepAlive: true })
  const failed: { started: number; ended: number }[] = []
  const running = new Set<Promise<void>>()
  let [sent, lastOk] = [0, 0]
  const send = (): void => {
    const started = performance.now()
    sent++
    const one: Promise<void> = call(port, { pool }).then(
      (status) => {
        if (status === 200) lastOk = started
        else failed.push({ started, ended: performance.now() })
      },
      () => void failed.push({ started, ended: performance.now() }),
    )
    running.add(one)
    void one.finally(() => running.delete(one))
  }
  const timer = setInterval(send, 5)
  return {
    get lastOk() {
      return lastOk
    },
    async stop() {
      clearInterval(timer)
      await Promise.all(running)
      pool.destroy()
      return { sent, failed }
    },
  }
}
