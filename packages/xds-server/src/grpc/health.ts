import { type Server, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js'
import { createWatch, type Watch } from '@heddle/runtime'
import {
  HealthCheckRequest,
  HealthCheckResponse,
  type HealthCheckResponse_ServingStatus as ServingStatus,
} from '@heddle/xds-types/grpc/health/v1'
import { rawService } from './raw-service.js'
import { ADS, PER_TYPE_SERVICES } from './service.js'

export interface AddHealthOptions {
  /** Whether the server serves; give the same to `createXdsServer`. Default: always. */
  readonly ready?: Watch<boolean>
  /** Names that are known besides '' (the server as a whole). Default: those of the discovery services. */
  readonly services?: readonly string[]
}

const DISCOVERY = [ADS, ...PER_TYPE_SERVICES].map(({ service }) => service)

/**
 * Adds `grpc.health.v1.Health` (gRPC health checking protocol): Kubernetes' gRPC probes and load balancers ask it. A service that is not known is
 * NOT_FOUND to `Check`, and SERVICE_UNKNOWN to `Watch`.
 */
export function addHealthService(grpcServer: Server, options: AddHealthOptions = {}): void {
  const { ready = createWatch(true), services = DISCOVERY } = options
  const statusOf = (bytes: Buffer): ServingStatus | undefined => {
    const request = HealthCheckRequest.decode(bytes)
    const service = request.ok ? (request.value.service ?? '') : undefined
    if (service === undefined || (service !== '' && !services.includes(service))) return undefined
    return ready.current ? 'SERVING' : 'NOT_SERVING'
  }
  const encode = (state: ServingStatus): Buffer => Buffer.from(HealthCheckResponse.encode({ status: state }))
  grpcServer.addService(rawService('grpc.health.v1.Health', { Check: { streaming: false }, Watch: { streaming: 'responses' } }), {
    Check({ request }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      const state = statusOf(request)
      if (state === undefined) done({ code: status.NOT_FOUND, details: `known services: ${services.join(', ')}` })
      else done(null, encode(state))
    },
    Watch(call: ServerWritableStream<Buffer, Buffer>) {
      const tell = (): void => void call.write(encode(statusOf(call.request) ?? 'SERVICE_UNKNOWN'))
      const stop = ready.subscribe(tell)
      call.on('cancelled', stop)
      call.on('close', stop)
      call.on('error', () => {})
      tell()
    },
  })
}
