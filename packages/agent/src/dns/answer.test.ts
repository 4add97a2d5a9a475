import { createSeededRandom } from '@heddle/runtime/testing'
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet'
import { describe, expect, test } from 'vitest'
import { type Asked, answer, failure } from './answer.js'
import { createFrameReader, frame } from './frames.js'
import { createLookupTable } from './lookup-table.js'
import { truncate } from './reply.js'

const many = Array.from({ length: 60 }, (_, i) => `10.1.0.${i}`)
const table = createLookupTable(
  {
    table: {
      'tea.example': { ips: ['10.0.0.1', 'fd00::a:1', '::ffff:10.0.0.1'] },
      'db.example': { ips: ['10.0.0.2'] },
      'many.example': { ips: many },
    },
  },
  { namespace: 'shop', domain: 'shop.svc.cluster.local', search: ['shop.svc.cluster.local'] },
)
const random = createSeededRandom(1)

function query(name: string, type: 'A' | 'AAAA' | 'TXT' = 'A', udpPayloadSize?: number): Buffer {
  const additionals =
    udpPayloadSize === undefined ? [] : [{ type: 'OPT' as const, name: '.', udpPayloadSize, flags: 0, options: [] }]
  return encode({ type: 'query', id: 4711, flags: RECURSION_DESIRED, questions: [{ type, name }], additionals } as never)
}

function ask(bytes: Buffer, protocol: Asked['protocol'] = 'udp') {
  const handling = answer(bytes, table, 'fail', { protocol, random })
  if (handling === undefined || !('reply' in handling)) throw new Error('no reply')
  const packet = decode(handling.reply)
  return { packet, bytes: handling.reply, rcode: (packet as { rcode?: string }).rcode, flags: packet.flags ?? 0 }
}

test('a name of the mesh: authoritative, with the letters of the question', () => {
  const { packet, rcode, flags } = ask(query('TEA.example'))
  expect({ id: packet.id, rcode, type: packet.type }).toEqual({ id: 4711, rcode: 'NOERROR', type: 'response' })
  expect(flags & (AUTHORITATIVE_ANSWER | RECURSION_DESIRED)).toBe(AUTHORITATIVE_ANSWER | RECURSION_DESIRED)
  expect(packet.questions).toEqual([{ name: 'TEA.example', type: 'A', class: 'IN' }])
  expect(packet.answers).toMatchObject([{ name: 'TEA.example', type: 'A', ttl: 30, data: '10.0.0.1' }])
})

test('IPv6, and nothing where the name has no address of the family', () => {
  const addresses = ask(query('tea.example', 'AAAA')).packet.answers?.map((one) => (one as { data: string }).data)
  expect(addresses?.sort()).toEqual(['::ffff:a00:1', 'fd00::a:1'])
  expect(ask(query('db.example', 'AAAA'))).toMatchObject({ rcode: 'NOERROR', packet: { answers: [] } })
})

test('by a CNAME what the resolver has put the search domain behind', () => {
  expect(ask(query('db.example.shop.svc.cluster.local')).packet.answers).toMatchObject([
    { name: 'db.example.shop.svc.cluster.local', type: 'CNAME', data: 'db.example' },
    { name: 'db.example', type: 'A', data: '10.0.0.2' },
  ])
})

test('the order of the answers is chance’s', () => {
  const first = (): unknown => ask(query('many.example'), 'tcp').packet.answers!.map((one) => (one as { data: string }).data)[0]
  expect(new Set(Array.from({ length: 20 }, first)).size).toBeGreaterThan(5)
})

describe('room', () => {
  test.each<[string, number | undefined, 'udp' | 'tcp', number]>([
    ['512 bytes of UDP', undefined, 'udp', 30],
    ['what EDNS says', 1232, 'udp', 60],
    ['no less than 512 bytes', 100, 'udp', 29],
    ['all of TCP', undefined, 'tcp', 60],
  ])('%s', (_what, size, protocol, count) => {
    const { packet, bytes, flags } = ask(query('many.example', 'A', size), protocol)
    expect(packet.answers).toHaveLength(count)
    expect((flags & TRUNCATED_RESPONSE) !== 0).toBe(count < 60)
    expect(bytes.length).toBeLessThanOrEqual(protocol === 'tcp' ? 65_535 : Math.max(512, size ?? 0))
    expect(packet.additionals?.map(({ type }) => type)).toEqual(size === undefined ? [] : ['OPT'])
  })

  test('a reply of others that is too long keeps the question, and says so', () => {
    const long = ask(query('many.example'), 'tcp').bytes
    const short = truncate(long, 512)
    expect(decode(short)).toMatchObject({ questions: [{ name: 'many.example' }], answers: [] })
    expect((decode(short).flags ?? 0) & TRUNCATED_RESPONSE).not.toBe(0)
    expect(truncate(long, 65_535)).toBe(long)
  })
})

test('other names and other types go to the servers of resolv.conf', () => {
  for (const one of [query('nobody.example'), query('tea.example', 'TXT')])
    expect(answer(one, table, 'fail', { protocol: 'udp', random })).toEqual({ forward: true, limit: 512 })
})

test('until the table has come names fail, or are asked for elsewhere', () => {
  const asked: Asked = { protocol: 'udp', random }
  const handling = answer(query('tea.example'), undefined, 'fail', asked)
  expect(handling !== undefined && 'reply' in handling && decode(handling.reply)).toMatchObject({ rcode: 'SERVFAIL' })
  expect(answer(query('tea.example'), undefined, 'forward', asked)).toEqual({ forward: true, limit: 512 })
})

test('what is no question is never answered by one', () => {
  const asked: Asked = { protocol: 'udp', random }
  expect(answer(Buffer.alloc(0), table, 'fail', asked)).toBeUndefined()
  expect(answer(Buffer.alloc(11), table, 'fail', asked)).toBeUndefined()
  expect(answer(ask(query('tea.example')).bytes, table, 'fail', asked)).toBeUndefined()
  expect(ask(Buffer.concat([query('tea.example').subarray(0, 20)]))).toMatchObject({ rcode: 'FORMERR' })
  const none = encode({ type: 'query', id: 1, questions: [] })
  expect(ask(none)).toMatchObject({ rcode: 'SERVFAIL', packet: { questions: [] } })
  expect(decode(failure(query('x.example')))).toMatchObject({ id: 4711, rcode: 'SERVFAIL' })
})

test('no bytes make it throw', () => {
  const whole = query('tea.example', 'A', 1232)
  for (let i = 0; i < 2_000; i++) {
    const bytes = Buffer.from(whole.subarray(0, Math.floor(random.next() * (whole.length + 1))))
    for (let n = 0; n < 3 && bytes.length > 0; n++)
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
    answer(bytes, table, 'fail', { protocol: i % 2 === 0 ? 'udp' : 'tcp', random })
    if (bytes.length < 12) continue
    expect(failure(bytes).length).toBeGreaterThanOrEqual(12)
    truncate(bytes, 20)
  }
})

test('frames of TCP come in any pieces', () => {
  const messages: string[] = []
  const read = createFrameReader((message) => messages.push(message.toString()))
  const bytes = Buffer.concat([frame(Buffer.from('one')), frame(Buffer.from('two')), frame(Buffer.alloc(0))])
  for (const byte of bytes) read(Buffer.of(byte))
  read(bytes)
  expect(messages).toEqual(['one', 'two', '', 'one', 'two', ''])
})
