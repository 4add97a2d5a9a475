import { expect, test } from 'vitest'
import type { Connection } from './connection.js'
import { createConnectionPair, createMemoryNetwork } from './memory.js'

interface Heard {
  text: string
  ended: boolean
  closed: boolean
  error: string | undefined
  drained: number
}

function listen(connection: Connection): Heard {
  const heard: Heard = { text: '', ended: false, closed: false, error: undefined, drained: 0 }
  connection.handle({
    onData(bytes) {
      heard.text += Buffer.from(bytes).toString('latin1')
    },
    onEnd() {
      heard.ended = true
    },
    onDrain() {
      heard.drained++
    },
    onClose(error) {
      heard.closed = true
      heard.error = (error as { code?: string } | undefined)?.code
    },
  })
  return heard
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const pair = (): [Connection, Connection] =>
  createConnectionPair({ address: '127.0.0.1', port: 1 }, { address: '127.0.0.1', port: 2 })

test('bytes arrive later, in order, and are overwritten after the call', async () => {
  const [a, b] = pair()
  let kept: Uint8Array | undefined
  b.handle({
    onData(bytes) {
      kept = bytes
    },
    onEnd() {},
    onDrain() {},
    onClose() {},
  })
  a.write(Buffer.from('one'))
  expect(kept).toBeUndefined()
  await turn()
  expect(Buffer.from(kept!).toString('latin1')).toBe('\xdd\xdd\xdd')
})

test('half-closes one by one, then both hear the close', async () => {
  const [a, b] = pair()
  const atA = listen(a)
  const atB = listen(b)
  a.write(Buffer.from('question'))
  a.end()
  await turn()
  expect(atB).toMatchObject({ text: 'question', ended: true, closed: false })
  b.write(Buffer.from('answer'))
  b.end()
  await turn()
  expect(atA).toMatchObject({ text: 'answer', ended: true, closed: true, error: undefined })
  expect(atB.closed).toBe(true)
})

test('destroyed like a socket: what was written arrives, and writing back is a reset', async () => {
  const [a, b] = pair()
  const atB = listen(b)
  a.write(Buffer.from('last words'))
  a.destroy()
  await turn()
  expect(atB).toMatchObject({ text: 'last words', ended: true, closed: false })
  b.write(Buffer.from('too late'))
  await turn()
  expect(atB).toMatchObject({ closed: true, error: 'ECONNRESET' })
})

test('a reset cuts off what was written, and each side knows whose it is', async () => {
  const [a, b] = pair()
  const [atA, atB] = [listen(a), listen(b)]
  a.write(Buffer.from('never heard'))
  a.destroy(Object.assign(new Error('passed on'), { code: 'ECONNRESET' }))
  await turn()
  expect(atB).toMatchObject({ text: '', ended: false, closed: true, error: 'ECONNRESET' })
  expect([atA.closed, a.reset, b.reset]).toEqual([true, 'local', 'remote'])
})

test('a reader that pauses makes the writer wait', async () => {
  const [a, b] = pair()
  const atA = listen(a)
  const atB = listen(b)
  b.pause()
  expect(a.write(Buffer.alloc(70_000))).toBe(false)
  await turn()
  expect([atB.text.length, atA.drained]).toEqual([0, 0])
  b.resume()
  await turn()
  expect([atB.text.length, atA.drained]).toEqual([70_000, 1])
})

test('what was put back comes first to the next owner', async () => {
  const [a, b] = pair()
  a.write(Buffer.from('second'))
  b.unread(Buffer.from('first '))
  const heard = listen(b)
  await turn()
  expect(heard.text).toBe('first second')
})

test('nobody listening refuses, a taken address too, 0.0.0.0 hears all', async () => {
  const network = createMemoryNetwork()
  await expect(network.connect({ address: { address: '10.0.0.1', port: 80 }, timeoutMs: 1 })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
  const accepted: Connection[] = []
  const bound = await network.listen({ address: { address: '0.0.0.0', port: 80 } }, (connection) => accepted.push(connection))
  await expect(network.listen({ address: { address: '0.0.0.0', port: 80 } }, () => {})).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  await network.connect({ address: { address: '10.0.0.1', port: 80 }, timeoutMs: 1 })
  await turn()
  expect(accepted[0]?.local).toEqual({ address: '10.0.0.1', port: 80 })
  await bound.close()
  await expect(network.connect({ address: { address: '10.0.0.1', port: 80 }, timeoutMs: 1 })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})
