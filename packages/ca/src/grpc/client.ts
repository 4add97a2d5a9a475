import { type ChannelCredentials, type ChannelOptions, Client, Metadata } from '@grpc/grpc-js'
import type { Clock } from '@heddle/runtime'
import { CaError } from '../authority.js'
import { splitCertificates, toPem } from '../pem.js'
import type { SignedChain } from '../workload-certificate.js'
import { CREATE_CERTIFICATE, requestType, responseType, toBuffer } from './definition.js'

export interface CertificateClientOptions {
  /** `istiod.istio-system.svc:15012` */
  readonly address: string
  /** `credentials.createSsl(root)`; add key and chain to renew with the present certificate instead of a token. */
  readonly credentials: ChannelCredentials
  /** A fresh token for each call; none is sent when it gives undefined. */
  readonly token?: () => string | undefined | Promise<string | undefined>
  /** Asked-for lifetime; 0, the default, leaves it to the CA. */
  readonly ttlMs?: number
  /** Default 10 s. */
  readonly timeoutMs?: number
  /** `{ 'grpc.ssl_target_name_override': 'istiod.istio-system.svc' }` when the address is not the certificate's name. */
  readonly channelOptions?: ChannelOptions
  /** For the deadline of a call. */
  readonly clock: Clock
}

/** Speaks to Istio's CA service, ours or istiod's. */
export interface CertificateClient {
  /** Has a CSR (DER) signed. Rejects with grpc-js' ServiceError. */
  request(csr: Uint8Array): Promise<SignedChain>
  close(): void
}

export function createCertificateClient(options: CertificateClientOptions): CertificateClient {
  const { address, credentials, token, ttlMs = 0, timeoutMs = 10_000, channelOptions, clock } = options
  const client = new Client(address, credentials, channelOptions ?? {})
  return {
    async request(csr) {
      const metadata = new Metadata()
      const bearer = await token?.()
      // A token read from a file often ends with a line break.
      if (bearer !== undefined) metadata.set('authorization', `Bearer ${bearer.trim()}`)
      const message = requestType.encode({ csr: toPem('CERTIFICATE REQUEST', csr), validity_duration: Math.floor(ttlMs / 1000) })
      return signedChain(await call(client, toBuffer(message), metadata, clock.now() + timeoutMs))
    },
    close: () => client.close(),
  }
}

function call(client: Client, message: Buffer, metadata: Metadata, deadline: number): Promise<Buffer> {
  const { path, requestSerialize, responseDeserialize } = CREATE_CERTIFICATE
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, metadata, { deadline }, (error, reply) => {
      if (error !== null) reject(error)
      else if (reply === undefined) reject(new CaError('ca.certificate', 'the CA answered nothing'))
      else resolve(reply)
    })
  })
}

/** The last element holds the roots, all before it the chain. */
function signedChain(reply: Buffer): SignedChain {
  const decoded = responseType.decode(reply)
  const parts = decoded.ok ? (decoded.value.cert_chain ?? []) : []
  if (parts.length < 2) throw new CaError('ca.certificate', `the CA answered with ${parts.length} of at least 2 certificates`)
  return { chain: parts.slice(0, -1).flatMap(splitCertificates), trustBundle: splitCertificates(parts.at(-1) as string) }
}
