import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDrill, type Drill, type DrillOptions } from '../src/drill.js'
import { ADDRESSES } from '../src/drill-mesh.js'
import { eventually } from '../src/eventually.js'
import { netnsProblem } from '../src/namespace.js'
import { findEnvoy } from '../src/tools.js'

// Two pods, each an app and a proxy as user 1337 (under TPROXY root of group 1337, as Istio's template has it), captured by `heddle init`, under the reference control plane; the apps know nothing of it.
const problem = netnsProblem()
const tool = findEnvoy()
const required = process.env['HEDDLE_INTEROP'] !== undefined
if (problem !== undefined) console.log(`skipped: no network namespaces here: ${problem}`)
else if (tool.version === undefined && !required) console.log('skipped: no stock Envoy; scripts/install.sh brings it')

const ours = { name: '@heddle/proxy-core' }
const envoy = { name: `Envoy ${tool.version}`, envoy: tool.path }
const runs: readonly (DrillOptions & { title: string })[] = [
  { title: `${ours.name}, IPv4`, proxy: ours, family: 'v4' },
  { title: `${envoy.name}, IPv4`, proxy: envoy, family: 'v4' },
  { title: `${ours.name}, IPv6`, proxy: ours, family: 'v6' },
  { title: `${envoy.name}, IPv6`, proxy: envoy, family: 'v6' },
  { title: `${ours.name}, IPv4, TPROXY`, proxy: ours, family: 'v4', mode: 'TPROXY' },
  { title: `${envoy.name}, IPv4, TPROXY`, proxy: envoy, family: 'v4', mode: 'TPROXY' },
]
const START_MS = 120_000

for (const options of runs)
  describe.skipIf(!required && (problem !== undefined || (options.proxy.envoy !== undefined && tool.version === undefined)))(
    `two pods, ${options.title}`,
    () => checks(options),
  )

function checks(options: DrillOptions): void {
  const { family } = options
  const [pod, vip] = [ADDRESSES.b[family], ADDRESSES.vip[family]]
  const outside = (range: '200' | '201'): string =>
    family === 'v4' ? `10.${range}.1.1` : range === '200' ? 'fd20::1' : 'fd21::1'
  let drill: Drill

  beforeAll(async () => {
    drill = await createDrill(options)
    await eventually(
      () => drill.a.app.call('http', { host: vip, headers: { host: 'b.shop' } }),
      ({ status }) => status === 200,
    ).catch((error) => {
      throw new Error(`${error}\n--- a\n${drill.a.log.slice(-3_000)}\n--- b\n${drill.b.log.slice(-3_000)}`)
    })
  }, START_MS)
  afterAll(() => drill?.remove(), START_MS)

  test('HTTP to the virtual address is balanced over the endpoints, and the app is told who called', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => drill.a.app.call('http', { host: vip })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const at = new Set(answers.map((answer) => answer.at))
    expect(at).toEqual(new Set([`${pod}:8080`, `${ADDRESSES.second[family]}:8080`]))
    expect(answers[0]?.headers?.['x-forwarded-client-cert']).toContain('URI=spiffe://cluster.local/ns/shop/sa/a')
  })

  test('on the wire there is TLS with ALPN istio, and no word of the request', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-wire-'))
    const file = join(folder, 'wire.pcap')
    const capture = drill.middle.start('tcpdump', ['-i', 'pod2', '-s', '0', '-U', '-Z', 'root', '-w', file, 'tcp'])
    await new Promise<void>((resolve) => capture.stderr!.on('data', (text) => String(text).includes('listening') && resolve()))
    await drill.a.app.call('tcp', { host: vip, port: 9000 })
    await drill.a.app.call('http', { host: vip, headers: { 'x-drill': 'nobody-may-read-this' } })
    await eventually(
      () => readFileSync(file).includes('\x05istio'),
      (seen) => seen,
      5_000,
    ).catch(() => {})
    capture.kill('SIGINT')
    const wire = readFileSync(file)
    rmSync(folder, { recursive: true })
    expect(wire.length).toBeGreaterThan(1_000)
    expect(wire.includes('\x05istio')).toBe(true)
    expect(wire.includes('nobody-may-read-this')).toBe(false)
  })

  test('opaque TCP reaches its original destination: a service, a pod, an address that nobody knows', async () => {
    expect(await drill.a.app.call('tcp', { host: vip, port: 9000 })).toMatchObject({ at: expect.stringMatching(/:9000$/) })
    expect(await drill.a.app.call('tcp', { host: outside('200'), port: 7000 })).toMatchObject({ at: at(outside('200'), 7000) })
  })

  test('excluded ranges and ports bypass the proxy, and UDP does, even while it hangs', async () => {
    try {
      await drill.a.pause()
      expect(await drill.a.app.call('tcp', { host: outside('200'), port: 7001, timeout: 700 })).toEqual({ error: 'timeout' })
      expect(await drill.a.app.call('tcp', { host: outside('201'), port: 7001 })).toMatchObject({ at: at(outside('201'), 7001) })
      expect(await drill.a.app.call('tcp', { host: outside('200'), port: 7002 })).toMatchObject({ at: at(outside('200'), 7002) })
      expect(await drill.a.app.call('udp', { host: outside('200'), port: 7053 })).toEqual({
        text: `hello ${ADDRESSES.a[family]}`,
      })
    } finally {
      drill.a.resume()
    }
  })

  test('under STRICT nobody outside the mesh comes in by plaintext, but by an excluded port', async () => {
    expect(await drill.outside.call('http', { host: pod, port: 8080 })).toMatchObject({ error: expect.any(String) })
    expect(await drill.outside.call('http', { host: pod, port: 8081 })).toMatchObject({ status: 200 })
  })

  test('a direct hit on 15006 or 15001 is refused', async () => {
    for (const port of [15_006, 15_001]) {
      const answer = await drill.outside.call('tcp', {
        host: pod,
        port,
        send: 'GET / HTTP/1.1\r\nhost: b\r\n\r\n',
        timeout: 10_000,
      })
      // At once, not by patience, and without a word.
      expect(answer).toEqual({
        error: expect.stringMatching(/^(closed|ECONNRESET|ECONNREFUSED)$/),
        ...(answer.text === '' && { text: '' }),
      })
    }
  })

  test('the app calls itself, by its service and by its own address', async () => {
    expect(await drill.b.app.call('http', { host: vip })).toMatchObject({ status: 200 })
    expect(await drill.b.app.call('http', { host: pod, port: 8080 })).toMatchObject({ status: 200 })
    expect(await drill.b.app.call('tcp', { host: pod, port: 9000 })).toMatchObject({ at: at(pod, 9000) })
  })

  if (options.mode === 'TPROXY')
    test('the app sees the address of the caller', async () => {
      expect(await drill.a.app.call('http', { host: vip })).toMatchObject({ status: 200, from: ADDRESSES.a[family] })
      expect(await drill.a.app.call('tcp', { host: vip, port: 9000 })).toMatchObject({ from: ADDRESSES.a[family] })
    })

  if (options.mode !== 'TPROXY')
    test(
      '5,000 connections to 5,000 addresses: none goes to another',
      async () => {
        const prefix = family === 'v4' ? '10.200.' : 'fd20::'
        expect(await drill.a.app.many({ prefix, port: 7000, count: 5_000 })).toEqual({ count: 5_000, wrong: 0, sample: [] })
      },
      START_MS,
    )

  const at = (host: string, port: number): string => `${host}:${port}`
}
