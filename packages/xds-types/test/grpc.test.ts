import {
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EncodeError } from '../src/context.js'
import { AccessLogService } from '../src/gen/envoy/service/accesslog/v3.js'
import { Authorization } from '../src/gen/envoy/service/auth/v3.js'
import { ClusterDiscoveryService } from '../src/gen/envoy/service/cluster/v3.js'
import { AggregatedDiscoveryService, type DiscoveryRequest, DiscoveryResponse } from '../src/gen/envoy/service/discovery/v3.js'
import { EndpointDiscoveryService } from '../src/gen/envoy/service/endpoint/v3.js'
import { ExternalProcessor } from '../src/gen/envoy/service/ext_proc/v3.js'
import { ExtensionConfigDiscoveryService } from '../src/gen/envoy/service/extension/v3.js'
import { ListenerDiscoveryService } from '../src/gen/envoy/service/listener/v3.js'
import { LoadReportingService } from '../src/gen/envoy/service/load_stats/v3.js'
import { RateLimitService } from '../src/gen/envoy/service/ratelimit/v3.js'
import {
  RouteDiscoveryService,
  ScopedRoutesDiscoveryService,
  VirtualHostDiscoveryService,
} from '../src/gen/envoy/service/route/v3.js'
import { RuntimeDiscoveryService } from '../src/gen/envoy/service/runtime/v3.js'
import { SecretDiscoveryService } from '../src/gen/envoy/service/secret/v3.js'
import { ClientStatusDiscoveryService } from '../src/gen/envoy/service/status/v3.js'
import { Health } from '../src/gen/grpc/health/v1.js'
import { type IstioCertificateResponse, IstioCertificateService } from '../src/gen/istio/v1/auth.js'
import { LogsService } from '../src/gen/opentelemetry/proto/collector/logs/v1.js'
import { TraceService } from '../src/gen/opentelemetry/proto/collector/trace/v1.js'
import { SpiffeWorkloadAPI } from '../src/gen/spiffe/workload.js'
import { grpcBytesService, grpcService } from '../src/grpc.js'
import { knownTypes } from '../src/known.js'

const SERVICES = [
  AggregatedDiscoveryService,
  ...[ClusterDiscoveryService, EndpointDiscoveryService, ListenerDiscoveryService, RouteDiscoveryService, SecretDiscoveryService],
  ...[ScopedRoutesDiscoveryService, VirtualHostDiscoveryService, ExtensionConfigDiscoveryService, RuntimeDiscoveryService],
  ...[ClientStatusDiscoveryService, LoadReportingService, RateLimitService, Authorization, ExternalProcessor, AccessLogService],
  ...[IstioCertificateService, TraceService, LogsService, Health, SpiffeWorkloadAPI],
]
const ADS = grpcService(AggregatedDiscoveryService, { Buffer, registry: knownTypes })
const CA = grpcService(IstioCertificateService, { Buffer })
const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const RESPONSE: DiscoveryResponse = { version_info: '1', type_url: CLUSTER, resources: [{ '@type': CLUSTER, name: 'a' }] }

it('every service of a mesh can be served: grpc-js takes the definitions as they are', () => {
  for (const service of SERVICES) {
    const definition: ServiceDefinition = grpcService(service as typeof AggregatedDiscoveryService, { Buffer })
    expect(Object.keys(definition).length, service.typeName).toBeGreaterThan(0)
    for (const [name, method] of Object.entries(definition)) expect(method.path).toBe(`/${service.typeName}/${name}`)
    expect(() => new Server().addService(definition, {})).not.toThrow()
    expect(makeGenericClientConstructor(definition, 'Client')).toBeTypeOf('function')
  }
})

describe('over a connection', () => {
  let server: Server
  let address = ''
  beforeEach(async () => {
    server = new Server()
    server.addService(ADS, {
      // Bytes that were encoded once go out as they are.
      StreamAggregatedResources: (stream: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse | Uint8Array>) =>
        stream.on('data', (request: DiscoveryRequest) => {
          stream.write(request.version_info === 'bytes' ? DiscoveryResponse.encode(RESPONSE, knownTypes) : RESPONSE)
        }),
    })
    server.addService(CA, {
      CreateCertificate: (call: ServerUnaryCall<{ csr?: string }, unknown>, done: sendUnaryData<IstioCertificateResponse>) =>
        done(null, { cert_chain: [call.request.csr ?? ''] }),
    })
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
    address = `127.0.0.1:${port}`
  })
  afterEach(() => server.forceShutdown())

  const exchange = (definition: ServiceDefinition, requests: readonly unknown[]): Promise<unknown[]> => {
    const client = new (makeGenericClientConstructor(definition, 'Ads'))(address, credentials.createInsecure())
    const stream = client['StreamAggregatedResources']?.() as {
      write(message: unknown): void
      end(): void
      on(event: string, run: (value: unknown) => void): void
    }
    const answers: unknown[] = []
    return new Promise<unknown[]>((resolve, reject) => {
      stream.on('error', reject)
      stream.on('data', (answer) => {
        answers.push(answer)
        if (answers.length === requests.length) {
          resolve(answers)
          stream.end()
        }
      })
      for (const request of requests) stream.write(request)
    }).finally(() => client.close())
  }

  it('messages are messages, and bytes that were encoded before are the same answer', async () => {
    const [first, second] = await exchange(ADS, [{ type_url: CLUSTER }, { type_url: CLUSTER, version_info: 'bytes' }])
    expect(first).toEqual(RESPONSE)
    expect(second).toEqual(RESPONSE)
  })

  it('a client of bytes gets the very bytes', async () => {
    const requests = [{ type_url: CLUSTER }, { type_url: CLUSTER, version_info: 'bytes' }].map((request) =>
      AggregatedDiscoveryService.methods.StreamAggregatedResources.request.encode(request),
    )
    const answers = await exchange(grpcBytesService(AggregatedDiscoveryService, { Buffer }), requests)
    const wanted = Buffer.from(DiscoveryResponse.encode(RESPONSE, knownTypes))
    expect(answers.map((answer) => Buffer.compare(answer as Buffer, wanted))).toEqual([0, 0])
  })

  it('a call of one message', async () => {
    const client = new (makeGenericClientConstructor(CA, 'Ca'))(address, credentials.createInsecure())
    const answer = await new Promise((resolve, reject) => {
      client['CreateCertificate']?.({ csr: 'CSR' }, (error: Error | null, reply: unknown) =>
        error ? reject(error) : resolve(reply),
      )
    })
    client.close()
    expect(answer).toEqual({ cert_chain: ['CSR'] })
  })
})

it('what is malformed says where, what cannot be written says so too', () => {
  const { requestDeserialize, requestSerialize } = ADS.StreamAggregatedResources
  expect(() => requestDeserialize(Uint8Array.of(0x12, 1, 0x0a))).toThrow(
    'node.id: not a envoy.service.discovery.v3.DiscoveryRequest',
  )
  expect(() => requestSerialize({ version_info: 5 } as never)).toThrow(EncodeError)
})
