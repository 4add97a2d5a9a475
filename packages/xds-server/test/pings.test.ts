import { once } from 'node:events'
import { connect } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer } from '../src/index.js'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

test('a client that pings often is answered each time, and not told that it pings too much (line 83)', async () => {
  const listener = await listenGrpc(createXdsServer({ resources: () => createSnapshotCache().watch('n') }), {
    address: '127.0.0.1:0',
    drainMs: 100,
  })
  const session = connect(`http://127.0.0.1:${listener.port}`)
  const goaways: number[] = []
  session.on('goaway', (code) => goaways.push(code))
  undo.push(listener.close, () => session.destroy())
  await once(session, 'connect')
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve, reject) => session.ping((error) => (error === null ? resolve() : reject(error))))
  }
  expect(goaways).toEqual([])
})
