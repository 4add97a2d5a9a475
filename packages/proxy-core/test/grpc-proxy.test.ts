import { Client, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cluster, endpoint, routeTable, startProxy, type TestProxy, upstreamHttp } from './harness.js'

/** gRPC as its own library speaks it, with a proxy between. */

const asIs = (bytes: Buffer): Buffer => bytes
const method = (requestStream: boolean, responseStream: boolean, name: string) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
})

let server: Server
let proxy: TestProxy
let client: Client
beforeAll(async () => {
  server = new Server()
  server.addService(
    { unary: method(false, false, 'Unary'), down: method(false, true, 'Down'), both: method(true, true, 'Both') },
    {
      unary: (call: { request: Buffer; metadata: Metadata }, done: (error: object | null, value?: Buffer) => void) => {
        if (call.request.toString() === 'fail') done({ code: status.FAILED_PRECONDITION, details: 'not in this state: ü' })
        else if (call.request.toString() !== 'never') done(null, call.request)
      },
      down: (call: { request: Buffer; write(bytes: Buffer): void; end(): void }) => {
        for (let i = 0; i < Number(call.request.toString()); i++) call.write(Buffer.from(`message ${i}`))
        call.end()
      },
      both: (call: NodeJS.ReadWriteStream) => {
        call.on('data', (bytes: Buffer) => call.write(bytes))
        call.on('end', () => call.end())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  proxy = await startProxy({
    table: routeTable('u', { grpcTimeout: { maxMs: 0, offsetMs: 0 } }),
    clusters: [cluster('u', [endpoint(port)], { http: upstreamHttp({ protocol: 'HTTP2' }) })],
  })
  client = new Client(`127.0.0.1:${proxy.port}`, credentials.createInsecure())
})
afterAll(async () => {
  client.close()
  await proxy.close()
  server.forceShutdown()
})

const unary = (body: string, options: { deadline?: number } = {}): Promise<string> =>
  new Promise((resolve, reject) =>
    client.makeUnaryRequest('/test.Echo/Unary', asIs, asIs, Buffer.from(body), new Metadata(), options, (error, value) =>
      error === null ? resolve(String(value)) : reject(error),
    ),
  )

describe('grpc-js through the proxy', () => {
  test('unary', async () => {
    expect(await unary('hello')).toBe('hello')
    expect(await unary('x'.repeat(1_000_000))).toHaveLength(1_000_000)
  })

  test('a status of the server', async () => {
    await expect(unary('fail')).rejects.toMatchObject({ code: status.FAILED_PRECONDITION, details: 'not in this state: ü' })
  })

  test('a deadline that the proxy keeps as well', async () => {
    await expect(unary('never', { deadline: Date.now() + 100 })).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED })
  })

  test('a stream of answers', async () => {
    const stream = client.makeServerStreamRequest('/test.Echo/Down', asIs, asIs, Buffer.from('500'))
    const messages: string[] = []
    for await (const message of stream) messages.push(String(message))
    expect(messages).toEqual(Array.from({ length: 500 }, (_, i) => `message ${i}`))
  })

  test('a conversation: each message is answered before the next is sent', async () => {
    const stream = client.makeBidiStreamRequest('/test.Echo/Both', asIs, asIs)
    const heard: string[] = []
    for (let i = 0; i < 50; i++) {
      const answer = new Promise<Buffer>((resolve) => stream.once('data', resolve))
      stream.write(Buffer.from(`word ${i}`))
      heard.push(String(await answer))
    }
    const over = new Promise((resolve) => stream.once('status', resolve))
    stream.end()
    expect(await over).toMatchObject({ code: status.OK })
    expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => `word ${i}`))
  })
})

test('of a failing proxy a gRPC caller hears a gRPC status', async () => {
  const nowhere = await startProxy({
    table: routeTable('u'),
    clusters: [cluster('u', [endpoint(1)], { http: upstreamHttp({ protocol: 'HTTP2' }) })],
  })
  const lost = new Client(`127.0.0.1:${nowhere.port}`, credentials.createInsecure())
  const answer = new Promise((_, reject) =>
    lost.makeUnaryRequest('/a/b', asIs, asIs, Buffer.from(''), (error) => reject(error as Error)),
  )
  await expect(answer).rejects.toMatchObject({ code: status.UNAVAILABLE })
  lost.close()
  await nowhere.close()
})
