import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../src/eventually.js'
import { heddleWords } from '../src/heddle-command.js'
import { connect, createNamespace, type NetworkNamespace, netnsProblem } from '../src/namespace.js'

// A pod whose DNS `heddle init --redirect-dns` turns to its agent; it asks by the system's own resolver, which knows the cluster's DNS only.
const problem = netnsProblem()
const required = process.env['HEDDLE_INTEROP'] !== undefined
if (problem !== undefined) console.log(`skipped: no network namespaces here: ${problem}`)

const [NODE = '', ...WORDS] = heddleWords()
const START_MS = 60_000
const DNS = '10.77.1.1'

/** The cluster's DNS: it knows outside.example. */
const CLUSTER_DNS = `
const udp = require('node:dgram').createSocket('udp4')
udp.on('message', (query, from) => {
  const known = query.toString('latin1').includes('\\x07outside\\x07example\\0\\0\\x01')
  const end = query.indexOf(0, 12) + 5
  const head = Buffer.from([query[0], query[1], 0x81, known ? 0x80 : 0x83, 0, 1, 0, known ? 1 : 0, 0, 0, 0, 0])
  const answer = known ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 192, 0, 2, 7]) : Buffer.alloc(0)
  udp.send(Buffer.concat([head, query.subarray(12, end), answer]), from.port, from.address)
}).bind(53, '${DNS}')
`
const MESH = `
apiVersion: v1
kind: Service
metadata: {name: tea, namespace: shop}
spec: {clusterIP: 10.96.0.10, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: shop}
spec: {hosts: [db.example], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: STATIC, endpoints: [{address: 192.0.2.9}]}
`
const LATER = `
apiVersion: v1
kind: Service
metadata: {name: cake, namespace: bakery}
spec: {clusterIP: 10.96.0.11, ports: [{name: http, port: 80}]}
`

describe.skipIf(problem !== undefined && !required)('DNS of a captured pod', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-dns-'))
  let [middle, pod]: [NetworkNamespace?, NetworkNamespace?] = []
  let log = ''

  /** What getaddrinfo gives an app, in one word; undefined: no such name. */
  const resolve = (name: string, options = ''): string | undefined => {
    try {
      const lines = pod!.run('env', `RES_OPTIONS=${options}`, 'getent', 'ahostsv4', name)
      return lines.split(/\s/)[0]
    } catch {
      return undefined
    }
  }

  beforeAll(async () => {
    chmodSync(folder, 0o755)
    middle = createNamespace('middle')
    pod = createNamespace('pod')
    connect(middle, pod, [
      { device: 'pod1', v4: `${DNS}/24`, v6: 'fd77:1::1/64' },
      { device: 'eth0', v4: '10.77.1.2/24', v6: 'fd77:1::2/64' },
    ])
    pod.run('ip', 'route', 'add', 'default', 'via', DNS)
    // `ip netns exec` lays it over /etc/resolv.conf.
    mkdirSync(`/etc/netns/${pod.name}`, { recursive: true })
    const search = 'shop.svc.cluster.local svc.cluster.local cluster.local'
    writeFileSync(
      `/etc/netns/${pod.name}/resolv.conf`,
      `nameserver ${DNS}\nsearch ${search}\noptions ndots:5 timeout:5 attempts:2\n`,
    )
    mkdirSync(join(folder, 'config'))
    writeFileSync(join(folder, 'config', 'mesh.yaml'), MESH)
    mkdirSync(join(folder, 'home'))
    execFileSync('chown', ['1337:1337', join(folder, 'home')])
    middle.start(process.execPath, ['-e', CLUSTER_DNS])
    const ready = join(folder, 'ready.json')
    const config = ['--config', join(folder, 'config'), '--ready-file', ready]
    const plane = middle.start(NODE, [
      ...WORDS,
      'control-plane',
      ...config,
      '--grpc-addr',
      `${DNS}:15010`,
      '--http-addr',
      '127.0.0.1:0',
    ])
    plane.stderr?.on('data', (bytes) => (log += String(bytes)))
    pod.run(NODE, ...WORDS, 'init', '-u', '1337', '-i', '*', '-b', '', '--redirect-dns')
    await eventually(() => existsSync(ready), Boolean)
    const caps = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
    const user = ['--reuid=1337', '--regid=1337', '--clear-groups', ...caps]
    const agent = pod.start(
      'setpriv',
      [
        ...[...user, NODE, ...WORDS, 'agent', 'sidecar', '--configPath', join(folder, 'home'), '--drainDuration', '1s'],
        ...['--discoveryAddress', `${DNS}:15010`, '--controlPlaneAuthPolicy', 'NONE'],
      ],
      {
        env: {
          ...process.env,
          ...{ HOME: join(folder, 'home'), POD_NAME: 'a', POD_NAMESPACE: 'shop', INSTANCE_IP: '10.77.1.2' },
          ISTIO_META_DNS_CAPTURE: 'true',
        },
      },
    )
    agent.stderr?.on('data', (bytes) => (log += String(bytes)))
    try {
      pod.run(NODE, ...WORDS, 'agent', 'wait', '--timeoutSeconds', '40')
    } catch (error) {
      throw new Error(`${error}\n${log.slice(-4_000)}`)
    }
  }, START_MS)
  afterAll(() => {
    pod?.remove()
    middle?.remove()
    if (pod !== undefined) rmSync(`/etc/netns/${pod.name}`, { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true })
  })

  test('a service by all its names, by UDP and TCP', () => {
    for (const name of ['tea', 'tea.shop', 'tea.shop.svc', 'tea.shop.svc.cluster.local'])
      expect(resolve(name), name).toBe('10.96.0.10')
    expect(resolve('tea', 'use-vc')).toBe('10.96.0.10')
  })

  test('a ServiceEntry without an address has one of the mesh’s', () => expect(resolve('db.example')).toMatch(/^240\.240\./))

  test('other names from the cluster’s DNS, which sees the agent’s questions only', () => {
    expect(resolve('outside.example')).toBe('192.0.2.7')
    expect(resolve('nobody.example')).toBeUndefined()
  })

  test('a new service is there within a second', async () => {
    expect(resolve('cake.bakery')).toBeUndefined()
    writeFileSync(join(folder, 'config', 'later.yaml'), LATER)
    // The folder is read by the system's notices; a busy machine gets more time than the second that is wanted.
    await eventually(
      () => resolve('cake.bakery'),
      (address) => address === '10.96.0.11',
      20_000,
    )
  })

  test('the agent tells its table, and counts', () => {
    resolve('tea')
    const page = (path: string): string =>
      pod!.run(process.execPath, '-e', `fetch('http://127.0.0.1:15020${path}').then((r) => r.text()).then(console.log)`)
    expect(JSON.parse(page('/debug/ndsz'))).toMatchObject({ table: { 'tea.shop.svc.cluster.local': { ips: ['10.96.0.10'] } } })
    expect(page('/stats/prometheus')).toMatch(/^dns_requests_total [1-9]/m)
  })
})
