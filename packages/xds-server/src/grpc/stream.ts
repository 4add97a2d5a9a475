import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import { type Logger, ok, type Result, silentLogger } from '@heddle/runtime'
import { ANONYMOUS, type PeerIdentity } from '../access.js'
import { type CloseStatus, STATUS, type StreamHandler, type StreamTransport } from '../transport.js'
import type { XdsServer } from '../xds-server.js'
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
  const { server, logger = silentLogger, authenticate = () => ok(ANONYMOUS) } = options
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
      const transport = createTransport(call)
      const { variant, typeUrl } = method
      const handler = server.accept({
        variant,
        transport,
        identity: identity.value,
        ...(typeUrl === undefined ? {} : { typeUrl }),
      })
      join(call, handler)
    })
  }
}

async function identify(authenticate: Authenticate, call: Call): Promise<Result<PeerIdentity>> {
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

function createTransport(call: Call): StreamTransport {
  return {
    peer: call.getPeer(),
    write(bytes) {
      const fast = call.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      // Who does not read must not make the server work either.
      if (!fast) call.pause()
      return fast
    },
    close: (status) => closeCall(call, status),
  }
}

function join(call: Call, handler: StreamHandler): void {
  call.on('data', (bytes: Buffer) => handler.onMessage(bytes))
  call.on('drain', () => {
    call.resume()
    handler.onDrain()
  })
  const end = (): void => handler.onEnd()
  call.on('end', () => {
    end()
    call.end()
  })
  call.on('cancelled', end)
  call.on('error', end)
  call.on('close', end)
}

function closeCall(call: Call, { code, message }: CloseStatus): void {
  if (code === STATUS.ok) call.end()
  else call.emit('error', { code, details: message })
}
