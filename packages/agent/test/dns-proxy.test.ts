import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { createMetricsRegistry, renderPrometheus, silentLogger, systemClock } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import { encodeDeltaResponse } from '@heddle/xds-types/discovery'
import { NameTable } from '@heddle/xds-types/istio/networking/nds/v1'
import { decode, encode } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFrameReader, frame } from '../src/dns/frames.js'
import { createLookupTable } from '../src/dns/lookup-table.js'
import { createDnsProxy } from '../src/dns/proxy.js'
import { createDnsServer, type DnsServer } from '../src/dns/server.js'
import { createUpstream } from '../src/dns/upstream.js'

// Real sockets on both sides: c-ares (node:dns) asks, and a server of the test stands for the cluster's DNS.
const answerOf = (query: Buffer): Buffer => {
  const { id, questions = [] } = decode(query)
  const name = questions[0]!.name
  if (name === 'long.example') {
    const answers = Array.from({ length: 50 }, (_, i) => ({ type: 'A' as const, name, data: `10.2.0.${i}` }))
    return encode({ type: 'response', id: id!, questions, answers })
  }
  const answers = name === 'outside.example' ? [{ type: 'A' as const, name, data: '192.0.2.7' }] : []
  return encode({ type: 'response', id: id!, flags: answers.length === 0 ? 3 : 0, questions, answers })
}

let [udp, tcp, silent]: [UdpSocket?, Server?, UdpSocket?] = []
let server: DnsServer
let resolver: Resolver
let port = 0
const metrics = createMetricsRegistry()

beforeAll(async () => {
  tcp = createServer((socket) =>
    socket.on(
      'data',
      createFrameReader((query) => socket.write(frame(answerOf(query)))),
    ),
  ).listen(0, '127.0.0.1')
  await new Promise((done) => tcp!.once('listening', done))
  const at = (tcp.address() as { port: number }).port
  udp = createSocket('udp4').on('message', (query, from) => {
    const reply = answerOf(query)
    // As a server that cannot send so much by UDP.
    udp!.send(reply.length > 512 ? encode({ ...decode(query), type: 'response', flags: 0x200, answers: [] }) : reply, from.port)
  })
  await new Promise<void>((done) => udp!.bind(at, '127.0.0.1', done))
  silent = createSocket('udp4')
  await new Promise<void>((done) => silent!.bind(0, '127.0.0.1', done))
  const table = createLookupTable(
    {
      table: {
        'tea.shop.svc.cluster.local': {
          ips: ['10.0.0.1', 'fd00::1'],
          registry: 'Kubernetes',
          shortname: 'tea',
          namespace: 'shop',
        },
        'many.example': { ips: Array.from({ length: 60 }, (_, i) => `10.1.0.${i}`) },
      },
    },
    { namespace: 'shop', domain: 'shop.svc.cluster.local', search: [] },
  )
  server = createDnsServer({
    ...{ addresses: ['127.0.0.1'], port: 0, untilThen: 'fail', metrics, logger: silentLogger },
    table: () => table,
    upstream: createUpstream({
      servers: [`127.0.0.1:${silent.address().port}`, `127.0.0.1:${at}`],
      timeoutMs: 300,
      clock: systemClock,
    }),
    clock: systemClock,
    random: createSeededRandom(1),
  })
  port = await server.listen()
  resolver = new Resolver({ timeout: 20_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
})
afterAll(async () => {
  await server?.close()
  udp?.close()
  silent?.close()
  tcp?.close()
})

test('names of the mesh, of both families', async () => {
  expect(await resolver.resolve4('tea.shop')).toEqual(['10.0.0.1'])
  expect(await resolver.resolve6('tea.shop.svc.cluster.local')).toEqual(['fd00::1'])
  await expect(resolver.resolve6('many.example')).rejects.toMatchObject({ code: 'ENODATA' })
})

test('more answers than UDP holds come by TCP', async () => {
  expect(await resolver.resolve4('many.example')).toHaveLength(60)
})

test('all else from the servers of resolv.conf: the next one where one is silent, TCP where the answer is long', async () => {
  expect(await resolver.resolve4('outside.example')).toEqual(['192.0.2.7'])
  await expect(resolver.resolve4('nobody.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  expect(await resolver.resolve4('long.example')).toHaveLength(50)
  const [reply] = await overTcp(encode({ type: 'query', id: 9, questions: [{ type: 'A', name: 'outside.example' }] }))
  expect(reply).toMatchObject({ id: 9, answers: [{ data: '192.0.2.7' }] })
  expect(renderPrometheus(metrics)).toMatch(/dns_upstream_requests_total 5/)
})

test('several questions on one connection, and one that is none ends it', async () => {
  const question = (id: number): Buffer => encode({ type: 'query', id, questions: [{ type: 'A', name: 'tea.shop' }] })
  const replies = await overTcp(question(1), question(2))
  expect(replies.map(({ id }) => id).sort()).toEqual([1, 2])
  await expect(overTcp(Buffer.alloc(3))).rejects.toThrow('hung up')
})

describe('without any server that answers', () => {
  test('a name of others fails, one of the mesh does not', async () => {
    const table = createLookupTable({ table: { 'a.example': { ips: ['10.0.0.1'] } } }, { namespace: 'a', domain: '', search: [] })
    const lonely = createDnsServer({
      ...{ addresses: ['127.0.0.1'], port: 0, untilThen: 'fail', metrics: createMetricsRegistry(), logger: silentLogger },
      table: () => table,
      upstream: createUpstream({
        servers: [`127.0.0.1:${silent!.address().port}`],
        parallel: true,
        timeoutMs: 20,
        clock: systemClock,
      }),
      clock: systemClock,
      random: createSeededRandom(1),
    })
    const other = new Resolver({ timeout: 20_000, tries: 1 })
    other.setServers([`127.0.0.1:${await lonely.listen()}`])
    expect(await other.resolve4('a.example')).toEqual(['10.0.0.1'])
    await expect(other.resolve4('b.example')).rejects.toMatchObject({ code: 'ESERVFAIL' })
    await lonely.close()
  })
})

test('the proxy answers from the table that the control plane has sent last', async () => {
  const proxy = createDnsProxy({
    ...{
      address: '127.0.0.1:0',
      resolvConf: 'search shop.svc.cluster.local',
      namespace: 'shop',
      domain: 'shop.svc.cluster.local',
    },
    ...{ clock: systemClock, random: createSeededRandom(1), logger: silentLogger, metrics: createMetricsRegistry() },
  })
  const asker = new Resolver({ timeout: 20_000, tries: 1 })
  asker.setServers([`127.0.0.1:${await proxy.listen()}`])
  await expect(asker.resolve4('db.example')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  for (const ip of ['10.0.0.1', '10.0.0.2']) {
    const bytes = NameTable.encode({ table: { 'db.example': { ips: [ip] } } })
    const response = { typeUrl: NameTable.typeUrl, systemVersion: '', nonce: '1', removed: [], controlPlane: '' }
    proxy.names.take(Buffer.from(encodeDeltaResponse({ ...response, resources: [{ name: '', version: '', bytes }] })))
    expect(await asker.resolve4('db.example')).toEqual([ip])
    expect(await asker.resolve4('db.example.shop.svc.cluster.local')).toEqual([ip])
  }
  expect(proxy.table).toMatchObject({ table: { 'db.example': { ips: ['10.0.0.2'] } } })
  await proxy.close()
})

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

test.skipIf(!hasIpv6)('a pod that asks by IPv6 is answered on its loopback', async () => {
  const proxy = createDnsProxy({
    ...{ address: 'localhost:0', resolvConf: 'nameserver fd00::a\nnameserver 10.96.0.10', namespace: 'shop', domain: '' },
    ...{ clock: systemClock, random: createSeededRandom(1), logger: silentLogger, metrics: createMetricsRegistry() },
  })
  const bound = await proxy.listen()
  for (const address of ['127.0.0.1', '[::1]']) {
    const asker = new Resolver({ timeout: 20_000, tries: 1 })
    asker.setServers([`${address}:${bound}`])
    // It has no names yet, and says so.
    await expect(asker.resolve4('tea'), address).rejects.toMatchObject({ code: 'ESERVFAIL' })
  }
  await proxy.close()
})

test('an address that is none, and a port that is taken, are told', async () => {
  const listen = (address: string): Promise<number> =>
    createDnsProxy({
      ...{ address, resolvConf: '', namespace: 'shop', domain: '' },
      ...{ clock: systemClock, random: createSeededRandom(1), logger: silentLogger, metrics: createMetricsRegistry() },
    }).listen()
  await expect(listen('nonsense')).rejects.toThrow('no address like localhost:15053')
  await expect(listen(`127.0.0.1:${port}`)).rejects.toThrow('EADDRINUSE')
})

function overTcp(...queries: Buffer[]): Promise<ReturnType<typeof decode>[]> {
  return new Promise((resolve, reject) => {
    const replies: ReturnType<typeof decode>[] = []
    const socket = connect(port, '127.0.0.1', () => {
      for (const query of queries) socket.write(frame(query))
    })
    const read = createFrameReader((reply) => {
      replies.push(decode(reply))
      if (replies.length === queries.length) {
        resolve(replies)
        socket.destroy()
      }
    })
    socket.on('data', read)
    socket.on('close', () => reject(new Error('it has hung up')))
  })
}
