import { expect, test } from 'vitest'
import { encodeGreeting, GreetingReader } from './greeting.js'
import { decodePeer, encodePeer, type WorkloadMetadata } from './workload.js'

const NODE = {
  id: 'sidecar~1',
  metadata: { WORKLOAD_NAME: 'shop', NAMESPACE: 'store', LABELS: { app: 'shop', role: 'front', other: 'x' }, SECRET: 'never' },
}
const greeting = encodeGreeting(NODE, ['role'])
const behind = Buffer.from('hello')

function read(...chunks: readonly Uint8Array[]): { heard: (WorkloadMetadata | undefined)[]; passed: string } {
  const heard: (WorkloadMetadata | undefined)[] = []
  const reader = new GreetingReader((peer) => heard.push(peer))
  let over = false
  const passed = chunks.map((chunk) => {
    const rest = over ? chunk : reader.take(chunk)
    over ||= rest !== undefined
    return rest ?? new Uint8Array()
  })
  return { heard, passed: Buffer.concat(over ? passed : [reader.rest()]).toString() }
}

test('is what Istio’s proxies send: a magic number, a length, and an Any of a Struct', () => {
  const text = Buffer.from(greeting).toString('latin1')
  expect(Buffer.from(greeting.subarray(0, 4)).toString('hex')).toBe('3d230467')
  expect(Buffer.from(greeting).readUInt32BE(4)).toBe(greeting.length - 8)
  // Field 1 of the Any, 42 bytes; field 2, a Struct of two fields.
  expect(text.slice(8, 10)).toBe('\n\x2a')
  expect(text.slice(10, 52)).toBe('type.googleapis.com/google.protobuf.Struct')
  for (const told of ['x-envoy-peer-metadata', 'x-envoy-peer-metadata-id', 'sidecar~1', 'role', 'front'])
    expect(text).toContain(told)
  for (const untold of ['SECRET', 'other']) expect(text).not.toContain(untold)
})

test('is taken off, wherever it is cut', () => {
  for (let at = 0; at <= greeting.length; at++) {
    const { heard, passed } = read(greeting.subarray(0, at), Buffer.concat([greeting.subarray(at), behind]))
    expect(heard, `cut at ${at}`).toMatchObject([{ name: 'shop', namespace: 'store', labels: { app: 'shop', role: 'front' } }])
    expect(passed).toBe('hello')
  }
  expect(read(greeting).heard).toHaveLength(1)
})

test('is taken off, though it comes byte by byte', () => {
  const { heard, passed } = read(...[...greeting, ...behind].map((byte) => Uint8Array.of(byte)))
  expect(heard).toMatchObject([{ name: 'shop' }])
  expect(passed).toBe('hello')
  const parts = [...greeting.subarray(0, 50)].map((byte) => Uint8Array.of(byte))
  expect(read(...parts).passed).toBe(Buffer.from(greeting.subarray(0, 50)).toString())
})

test.each([
  ['other bytes', Buffer.from('GET / HTTP/1.1')],
  ['the beginning of a magic number', Buffer.from('3d23ff', 'hex')],
  ['more than a greeting may have', Buffer.from('3d230467ffffffff00', 'hex')],
])('%s: nobody has said who he is, and the bytes pass as they are', (_, bytes) => {
  const { heard, passed } = read(bytes, behind)
  expect(heard).toEqual([undefined])
  expect(passed).toBe(`${bytes.toString()}hello`)
})

test('one that ends before it is whole passes as it is', () => {
  expect(read(greeting.subarray(0, 20))).toEqual({ heard: [undefined], passed: Buffer.from(greeting.subarray(0, 20)).toString() })
})

test('one of something else is heard by nobody, and taken off', () => {
  expect(read(Buffer.from('3d230467000000020a00', 'hex'), behind)).toEqual({ heard: [undefined], passed: 'hello' })
})

test('headers tell the same labels', () => {
  expect(decodePeer(encodePeer(NODE.metadata, ['role']))?.labels).toEqual({ app: 'shop', role: 'front' })
})
