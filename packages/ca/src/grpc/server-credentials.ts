import { experimental, type ServerCredentials } from '@grpc/grpc-js'
import type { Watch } from '@heddle/runtime'
import type { Identity } from '../workload-certificate.js'

type Provider = Parameters<typeof experimental.createCertificateProviderServerCredentials>[0]

export interface ServerCredentialsOptions {
  /** The server's own certificate; connections made after a change get the new one. Handshakes wait for the first. */
  readonly identity: Watch<Identity | undefined>
  /**
   * `required`: only clients with a certificate of the identity's roots are let in. `optional`: it is asked for, and one that is not of
   * these roots is as none; a token may prove the client instead. Default `ignored`: none is asked for.
   */
  readonly clientCertificates?: 'ignored' | 'optional' | 'required'
}

/** Credentials for a grpc-js server that follow a certificate which renews itself. */
export function createServerCredentials({
  identity,
  clientCertificates = 'ignored',
}: ServerCredentialsOptions): ServerCredentials {
  const provider = createProvider(identity)
  // Whatever the parameters are called in its types: first the identity, then the roots for clients or null.
  return experimental.createCertificateProviderServerCredentials(
    provider,
    clientCertificates === 'ignored' ? null : provider,
    clientCertificates === 'required',
  )
}

function createProvider(identity: Watch<Identity | undefined>): Provider {
  const stops = new Map<unknown, () => void>()
  const listen = <U>(listener: (update: U | null) => void, updateOf: (current: Identity) => U): void => {
    const tell = (current: Identity | undefined): void => listener(current === undefined ? null : updateOf(current))
    stops.set(listener, identity.subscribe(tell))
    // A server adds its own watcher after ours has been asked: told at once, it would not hear of it.
    queueMicrotask(() => {
      if (stops.has(listener)) tell(identity.current)
    })
  }
  const forget = (listener: unknown): void => {
    stops.get(listener)?.()
    stops.delete(listener)
  }
  return {
    addCaCertificateListener: (listener) => listen(listener, ({ trustBundle }) => ({ caCertificate: Buffer.from(trustBundle) })),
    addIdentityCertificateListener: (listener) =>
      listen(listener, ({ certificateChain, privateKey }) => ({
        certificate: Buffer.from(certificateChain),
        privateKey: Buffer.from(privateKey),
      })),
    removeCaCertificateListener: forget,
    removeIdentityCertificateListener: forget,
  }
}
