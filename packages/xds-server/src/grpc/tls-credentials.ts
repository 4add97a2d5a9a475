import { experimental, type ServerCredentials } from '@grpc/grpc-js'
import type { Unsubscribe, Watch } from '@heddle/runtime'

/** The server's own certificate chain and key, in PEM. */
export interface ServerIdentity {
  readonly certificateChain: string
  readonly privateKey: string
}

export interface TlsCredentialsOptions {
  /** Changes take effect with the next connection. */
  readonly identity: Watch<ServerIdentity>
  /** PEM bundle that client certificates are verified against. Without it none is asked for. */
  readonly clientRoots?: Watch<string>
  /**
   * Default false: a client may come without a certificate, with a token for instance, and a certificate that does not verify is as
   * none. True: such connections are refused.
   */
  readonly requireClientCertificate?: boolean
}

/** TLS for a gRPC server whose certificate and roots rotate without a restart, and that takes client certificates but need not. */
export function createTlsCredentials(options: TlsCredentialsOptions): ServerCredentials {
  const { identity, clientRoots, requireClientCertificate = false } = options
  const ca = clientRoots === undefined ? null : createProvider(clientRoots, (pem) => ({ caCertificate: Buffer.from(pem) }))
  const own = createProvider(identity, ({ certificateChain, privateKey }) => ({
    certificate: Buffer.from(certificateChain),
    privateKey: Buffer.from(privateKey),
  }))
  // grpc-js 1.14 names these parameters the other way round: its first one is the identity.
  return experimental.createCertificateProviderServerCredentials(
    { ...NOTHING, addIdentityCertificateListener: own.add, removeIdentityCertificateListener: own.remove },
    ca === null ? null : { ...NOTHING, addCaCertificateListener: ca.add, removeCaCertificateListener: ca.remove },
    requireClientCertificate,
  )
}

const ignore = (): void => {}
const NOTHING: experimental.CertificateProvider = {
  addCaCertificateListener: ignore,
  removeCaCertificateListener: ignore,
  addIdentityCertificateListener: ignore,
  removeIdentityCertificateListener: ignore,
}

interface Provider<U> {
  add(listener: (update: U | null) => void): void
  remove(listener: (update: U | null) => void): void
}

function createProvider<T, U>(watch: Watch<T>, convert: (value: T) => U): Provider<U> {
  const stops = new Map<(update: U | null) => void, Unsubscribe>()
  return {
    add(listener) {
      stops.set(
        listener,
        watch.subscribe((value) => listener(convert(value))),
      )
      // grpc-js begins to listen to its own credentials only after this call, and would miss an update made within it.
      queueMicrotask(() => {
        if (stops.has(listener)) listener(convert(watch.current))
      })
    },
    remove(listener) {
      stops.get(listener)?.()
      stops.delete(listener)
    },
  }
}
