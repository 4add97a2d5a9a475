import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import { type Logger, ok, type Result, silentLogger } from '@heddle/runtime'
import { ANONYMOUS, type PeerIdentity } from '../access.js'
import { type CloseStatus, STATUS, type StreamHandler, type StreamTransport } from '../transport.js'
import type { XdsServer } from '../xds-server.js'
import { type DirectStream, directStreamOf } from './direct-stream.js'
import { type Authenticate, peerOf } from './peer.js'
import type { StreamMethod } from './service.js'

type Call = ServerDuplexStream<Buffer, Buffer>

export interface HandlerOptions {
  readonly server: XdsServer
  readonly authenticate?: Authenticate
  readonly logger?: Logger
}

/** Joins a gRPC call to a session. Nothing is read from the client before it has been authenticated: its first messages wait in the transport. */
export function createCallHandler(options: HandlerOptions, method: StreamMethod): handleBidiStreamingCall<Buffer, Buffer> {
  const { server, logger = silentLogger, authenticate } = options
  return (call) => {
    let over = false
    const leave = (): void => {
      over = true
    }
    call.on('error', leave)
    call.on('cancelled', leave)
    void identify(authenticate, call).then((identity) => {
      if (over) return
      if (!identity.ok) {
        const message = identity.diagnostics.map((diagnostic) => diagnostic.message).join('; ') || 'not authenticated'
        logger.warn({ peer: call.getPeer() }, `xDS stream refused: ${message}`)
        closeCall(call, { code: STATUS.unauthenticated, message })
        return
      }
      const direct = directStreamOf(call)
      const { variant, typeUrl } = method
      const handler = server.accept({
        variant,
        transport: createTransport(call, direct),
        identity: identity.value,
        ...(typeUrl === undefined ? {} : { typeUrl }),
      })
      join(call, direct, handler)
    })
  }
}

async function identify(authenticate: Authenticate | undefined, call: Call): Promise<Result<PeerIdentity>> {
  // Node takes a certificate apart each time it is looked at.
  if (authenticate === undefined) return ok(ANONYMOUS)
  try {
    return await authenticate(peerOf(call))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      ok: false,
      diagnostics: [{ code: 'xds.authenticate', severity: 'error', path: '', message: `authentication failed: ${message}` }],
    }
  }
}

function createTransport(call: Call, direct: DirectStream | undefined): StreamTransport {
  const write = (parts: readonly Uint8Array[]): boolean =>
    direct === undefined ? call.write(Buffer.concat(parts)) : direct.write(parts)
  return {
    peer: call.getPeer(),
    write(parts) {
      const fast = write(parts)
      // Who does not read must not make the server work either.
      if (!fast) (direct ?? call).pause()
      return fast
    },
    close: (status) => closeCall(call, status),
  }
}

function join(call: Call, direct: DirectStream | undefined, handler: StreamHandler): void {
  const message = (bytes: Buffer): void => handler.onMessage(bytes)
  const gone = (): void => handler.onEnd()
  const ended = (): void => {
    handler.onEnd()
    call.end()
  }
  const drained = (): void => {
    ;(direct ?? call).resume()
    handler.onDrain()
  }
  call.on('cancelled', gone)
  call.on('error', gone)
  call.on('close', gone)
  if (direct === undefined) call.on('data', message).on('end', ended).on('drain', drained)
  else direct.start({ message, ended, drained })
}

function closeCall(call: Call, { code, message }: CloseStatus): void {
  if (code === STATUS.ok) call.end()
  else call.emit('error', { code, details: message })
}
