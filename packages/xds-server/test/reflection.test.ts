import { Client, credentials } from '@grpc/grpc-js'
import { Health } from '@heddle/xds-types/grpc/health/v1'
import { ServerReflectionRequest, ServerReflectionResponse } from '@heddle/xds-types/grpc/reflection/v1'
import { afterEach, expect, test } from 'vitest'
import { addReflectionService, listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer } from '../src/index.js'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Asks one question after the other over one stream. */
async function asking(version: 'v1' | 'v1alpha') {
  const server = createXdsServer({ resources: () => createSnapshotCache().watch('n') })
  const listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 100 })
  addReflectionService(listener.grpcServer, { services: [Health] })
  const client = new Client(`127.0.0.1:${listener.port}`, credentials.createInsecure())
  undo.push(listener.close, () => client.close())
  const pass = (bytes: Buffer): Buffer => bytes
  const call = client.makeBidiStreamRequest(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, pass, pass)
  call.on('error', () => {})
  undo.push(() => call.cancel())
  return (question: ServerReflectionRequest): Promise<ServerReflectionResponse> =>
    new Promise((resolve, reject) => {
      call.once('data', (bytes: Buffer) => {
        const answer = ServerReflectionResponse.decode(bytes)
        if (answer.ok) resolve(answer.value)
        else reject(new Error(answer.diagnostics[0]?.message))
      })
      call.write(Buffer.from(ServerReflectionRequest.encode(question)))
    })
}

test.each(['v1', 'v1alpha'] as const)('reflection %s: services, files with what they import, each once', async (version) => {
  const ask = await asking(version)
  const { list_services_response } = await ask({ list_services: '' })
  const names = list_services_response?.service?.map(({ name }) => name)
  expect(names).toEqual(
    expect.arrayContaining([
      'envoy.service.discovery.v3.AggregatedDiscoveryService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1alpha.ServerReflection',
    ]),
  )
  const ads = await ask({ file_containing_symbol: 'envoy.service.discovery.v3.AggregatedDiscoveryService' })
  const files = ads.file_descriptor_response?.file_descriptor_proto ?? []
  expect(files.length).toBeGreaterThan(3)
  const again = await ask({ file_containing_symbol: 'envoy.service.discovery.v3.DiscoveryRequest' })
  expect(again.file_descriptor_response?.file_descriptor_proto).toEqual([files[0]])
  expect((await ask({ file_by_filename: 'no/such.proto' })).error_response).toEqual({
    error_code: 5,
    error_message: 'no/such.proto is not known here',
  })
})
