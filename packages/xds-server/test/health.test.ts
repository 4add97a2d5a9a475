import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { createWatch } from '@heddle/runtime'
import { HealthCheckRequest, HealthCheckResponse } from '@heddle/xds-types/grpc/health/v1'
import { afterEach, expect, test } from 'vitest'
import { addHealthService, listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer } from '../src/index.js'
import { connect } from './client.js'

const pass = (bytes: Buffer): Buffer => bytes
const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService'
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function start() {
  const ready = createWatch(false)
  const server = createXdsServer({ resources: () => createSnapshotCache().watch('n'), ready })
  const listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 100 })
  addHealthService(listener.grpcServer, { ready })
  const client = new Client(`127.0.0.1:${listener.port}`, credentials.createInsecure())
  undo.push(listener.close, () => client.close())
  return { ready, client, port: listener.port }
}

const request = (service: string): Buffer => Buffer.from(HealthCheckRequest.encode({ service }))
function stateOf(bytes: Buffer): string {
  const response = HealthCheckResponse.decode(bytes)
  return response.ok ? (response.value.status ?? 'UNKNOWN') : 'unreadable'
}

test('gRPC health: Check and Watch follow readiness, by service', async () => {
  const { ready, client } = await start()
  const check = (service: string): Promise<string> =>
    new Promise((resolve) => {
      const done = (error: ServiceError | null, bytes?: Buffer): void => resolve(error ? status[error.code] : stateOf(bytes!))
      client.makeUnaryRequest('/grpc.health.v1.Health/Check', pass, pass, request(service), done)
    })
  expect([await check(''), await check(ADS), await check('nobody')]).toEqual(['NOT_SERVING', 'NOT_SERVING', 'NOT_FOUND'])
  const seen: string[] = []
  const stream = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', pass, pass, request(ADS))
  stream.on('error', () => {})
  stream.on('data', (bytes: Buffer) => seen.push(stateOf(bytes)))
  await expect.poll(() => seen).toEqual(['NOT_SERVING'])
  ready.set(true)
  await expect.poll(() => seen).toEqual(['NOT_SERVING', 'SERVING'])
  expect(await check('')).toBe('SERVING')
  stream.cancel()
})

test('a server that is not ready sends its clients elsewhere, and never an empty answer (line 10)', async () => {
  const { ready, port } = await start()
  const client = connect(port)
  undo.push(() => client.close())
  const refused = client.delta()
  refused.send({ node: { id: 'n' }, type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' })
  expect(await refused.ended).toMatchObject({ code: status.UNAVAILABLE, details: 'the xDS server is not ready yet' })
  ready.set(true)
  const open = client.delta()
  open.send({ node: { id: 'n' }, type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' })
  const first = await Promise.race([open.ended, new Promise((resolve) => setTimeout(() => resolve('waits'), 100))])
  expect(first).toBe('waits')
})
