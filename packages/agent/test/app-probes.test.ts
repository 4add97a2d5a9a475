import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { probeApp } from '../src/app-probes.js'

const pass = (bytes: Buffer): Buffer => bytes
const CHECK = {
  path: '/grpc.health.v1.Health/Check',
  requestStream: false,
  responseStream: false,
  ...{ requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass },
}
let grpc: Server
let http: HttpServer
let [grpcPort, httpPort] = [0, 0]
let asked = ''

beforeAll(async () => {
  grpc = new Server()
  grpc.addService(
    { Check: CHECK },
    {
      Check(call: { request: Buffer }, done: (error: null, answer: Buffer) => void) {
        asked = call.request.toString('hex')
        done(null, Buffer.of(0x08, asked === '0a036f6666' ? 2 : 1))
      },
    },
  )
  grpcPort = await new Promise((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
  )
  http = createServer((req, res) => {
    asked = `${req.url} ${req.headers['x-own']} ${req.headers['user-agent']}`
    res.writeHead(req.url === '/bad' ? 503 : 204).end()
  })
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  httpPort = (http.address() as AddressInfo).port
})
afterAll(() => {
  grpc.forceShutdown()
  http.close()
})

test('HTTP, with the headers of the probe and the kubelet’s agent', async () => {
  const httpGet = { path: 'ok', port: httpPort, httpHeaders: [{ name: 'X-Own', value: 'v' }] }
  expect(await probeApp({ httpGet }, '127.0.0.1', 'kube-probe/1.34')).toBe(204)
  expect(asked).toBe('/ok v kube-probe/1.34')
  expect(await probeApp({ httpGet: { path: '/bad', port: httpPort } }, '127.0.0.1', undefined)).toBe(503)
})

test('TCP', async () => {
  expect(await probeApp({ tcpSocket: { port: httpPort } }, '127.0.0.1', undefined)).toBe(200)
  expect(await probeApp({ tcpSocket: { port: 1 } }, '127.0.0.1', undefined)).toBe(500)
})

test('gRPC, by the health protocol', async () => {
  expect(await probeApp({ grpc: { port: grpcPort, service: 'cart' } }, '127.0.0.1', undefined)).toBe(200)
  expect(asked).toBe('0a0463617274')
  expect(await probeApp({ grpc: { port: grpcPort, service: 'off' } }, '127.0.0.1', undefined)).toBe(500)
  expect(await probeApp({ grpc: { port: 1 } }, '127.0.0.1', undefined)).toBe(500)
})
