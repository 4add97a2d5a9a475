import { type Server, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import type { Result } from '@heddle/runtime'
import { ClientStatusRequest, ClientStatusResponse } from '@heddle/xds-types/envoy/service/status/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { clientStatus } from '../debug/client-status.js'
import type { XdsServer } from '../xds-server.js'
import { type Authenticate, peerOf } from './peer.js'
import { rawService } from './raw-service.js'

const SERVICE = 'envoy.service.status.v3.ClientStatusDiscoveryService'

export interface AddClientStatusOptions {
  /** Who may ask. Default: everybody; the answer shows every client's configuration, so give one where strangers can call. */
  readonly authenticate?: Authenticate
}

/** Adds CSDS: what each client has been sent, and what it said to it. `istioctl`-like tools and grpcurl read it. */
export function addClientStatusService(
  grpcServer: Server,
  server: XdsServer,
  { authenticate }: AddClientStatusOptions = {},
): void {
  const answer = async (
    call: ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
    bytes: Buffer,
  ): Promise<{ bytes: Buffer } | { code: number; details: string }> => {
    const caller = await authenticate?.(peerOf(call))
    if (caller?.ok === false) return refusal(status.UNAUTHENTICATED, caller)
    const request = ClientStatusRequest.decode(bytes)
    const response = request.ok ? clientStatus(server, request.value) : request
    if (!response.ok) return refusal(status.INVALID_ARGUMENT, response)
    return { bytes: Buffer.from(ClientStatusResponse.encode(response.value, knownTypes)) }
  }
  grpcServer.addService(
    rawService(SERVICE, { FetchClientStatus: { streaming: false }, StreamClientStatus: { streaming: true } }),
    {
      FetchClientStatus(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        void answer(call, call.request).then((given) => ('bytes' in given ? done(null, given.bytes) : done(given)))
      },
      StreamClientStatus(call: ServerDuplexStream<Buffer, Buffer>) {
        call.on('data', (bytes: Buffer) => {
          void answer(call, bytes).then((given) => ('bytes' in given ? call.write(given.bytes) : call.emit('error', given)))
        })
        call.on('end', () => call.end())
        call.on('error', () => {})
      },
    },
  )
}

function refusal(code: number, { diagnostics }: Result<unknown>): { code: number; details: string } {
  return { code, details: diagnostics.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ') }
}
