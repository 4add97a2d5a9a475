import { expect, test } from 'vitest'
import { createMessageReader } from './message-reader.js'

function framed(...bodies: string[]): Buffer {
  return Buffer.concat(
    bodies.map((body) => {
      const prefix = Buffer.alloc(5)
      prefix.writeUInt32BE(body.length, 1)
      return Buffer.concat([prefix, Buffer.from(body)])
    }),
  )
}

function setup(maxBytes = 100) {
  const came: string[] = []
  const reader = createMessageReader({
    maxBytes,
    message: (body) => came.push(body.toString()),
    failed: (problem) => came.push(`failed: ${problem}`),
  })
  return { came, reader }
}

test('messages come whole, wherever the bytes are cut', () => {
  const bodies = ['', 'one', 'x'.repeat(90), '', 'four']
  const all = framed(...bodies)
  for (let size = 1; size <= all.length; size++) {
    const { came, reader } = setup()
    for (let at = 0; at < all.length; at += size) reader.read(all.subarray(at, at + size))
    expect(came, `pieces of ${size}`).toEqual(bodies)
  }
})

test('a message that is too large is refused by its length alone, and nothing is read after it', () => {
  const { came, reader } = setup(4)
  reader.read(framed('1234', '12345').subarray(0, 14))
  reader.read(framed('more'))
  expect(came).toEqual(['1234', 'failed: Received message larger than max (5 vs 4)'])
})

test('a compressed message is refused where none may come', () => {
  const { came, reader } = setup()
  const bytes = framed('one')
  bytes[0] = 1
  reader.read(bytes)
  expect(came).toEqual(['failed: a compressed message on a stream without grpc-encoding'])
})
