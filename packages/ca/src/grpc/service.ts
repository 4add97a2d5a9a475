import { type Server, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { type Clock, type Logger, type Result, silentLogger, type Watch } from '@heddle/runtime'
import type { IstioCertificateRequest } from '@heddle/xds-types/istio/v1/auth'
import type { Authenticator, Peer } from '../authenticators/authenticator.js'
import { CaError, type CertificateAuthority } from '../authority.js'
import { type GrantPolicy, grantFor } from '../grants.js'
import { verifyOwnSvid } from '../own-svid.js'
import { fromPem } from '../pem.js'
import type { Revocations } from '../revocations.js'
import { CERTIFICATE_SERVICE, requestType, responseType, toBuffer } from './definition.js'

export interface CertificateServiceOptions extends GrantPolicy {
  readonly authority: CertificateAuthority
  /** Who is calling; nothing in the request is asked. */
  readonly authenticate: Authenticator
  /** Roots, PEM, that workloads are told to trust beside the authority's own. No caller is known by them. Default none. */
  readonly federatedRoots?: Watch<readonly string[]>
  /** A revoked certificate proves nobody; default: none is revoked. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly logger?: Logger
}

type Call = ServerUnaryCall<Buffer, Buffer>

/** `istio.v1.auth.IstioCertificateService`, to add to a grpc-js server. */
export interface CertificateService {
  addTo(server: Server): void
}

/** What goes back to the caller; the log gets the same words. */
interface Refusal {
  readonly code: status
  readonly details: string
}

const CODES: Readonly<Record<string, status>> = {
  'ca.unauthenticated': status.UNAUTHENTICATED,
  'ca.denied': status.PERMISSION_DENIED,
  'spiffe.invalid_id': status.PERMISSION_DENIED,
  'ca.csr': status.INVALID_ARGUMENT,
  'ca.der': status.INVALID_ARGUMENT,
  'ca.ttl': status.INVALID_ARGUMENT,
  'xds.malformed': status.INVALID_ARGUMENT,
  'ca.expired': status.UNAVAILABLE,
}

export function createCertificateService(options: CertificateServiceOptions): CertificateService {
  const { logger = silentLogger } = options
  const createCertificate = (call: Call, reply: sendUnaryData<Buffer>): void => {
    answer(call, options)
      .then((bytes) => reply(null, bytes))
      .catch((error: unknown) => {
        const refusal = refusalOf(error)
        logger.warn({ peer: call.getPeer(), code: refusal.code, reason: refusal.details }, 'no certificate issued')
        reply(refusal)
      })
  }
  return { addTo: (server) => server.addService(CERTIFICATE_SERVICE, { CreateCertificate: createCertificate }) }
}

async function answer(call: Call, options: CertificateServiceOptions): Promise<Buffer> {
  const { authority, authenticate, logger = silentLogger } = options
  const caller = take(await authenticate(peerOf(call, options)))
  const request: IstioCertificateRequest = take(requestType.decode(call.request))
  const seconds = Number(request.validity_duration ?? 0)
  const grant = take(grantFor(caller, seconds * 1000, options))
  const [csr] = fromPem('CERTIFICATE REQUEST', request.csr ?? '')
  if (csr === undefined) throw new CaError('ca.csr', 'the request has no certificate request in PEM')
  const chain = await authority.sign(csr, grant)
  logger.info({ peer: call.getPeer(), identity: caller.identities[0], method: caller.method }, 'certificate issued')
  // Istio's clients take the last element as the roots to trust.
  const roots = new Set([...authority.trustBundle.current, ...(options.federatedRoots?.current ?? [])])
  return toBuffer(responseType.encode({ cert_chain: [...chain, [...roots].join('')] }))
}

/** A failed Result ends the call with its first reason. */
function take<T>(result: Result<T>): T {
  if (result.ok) return result.value
  const [first] = result.diagnostics
  throw new CaError(first?.code ?? 'ca.refused', result.diagnostics.map(({ message }) => message).join('; '))
}

function refusalOf(error: unknown): Refusal {
  // What went wrong inside is the log's, not the caller's.
  if (!(error instanceof CaError)) return { code: status.INTERNAL, details: 'the certificate could not be issued' }
  return { code: CODES[error.code] ?? status.INTERNAL, details: error.message }
}

function peerOf(call: Call, options: CertificateServiceOptions): Peer {
  const raw = call.getAuthContext().sslPeerCertificate?.raw
  const svid = raw === undefined ? undefined : verifyOwnSvid(new Uint8Array(raw), options)
  return {
    address: call.getPeer(),
    uris: svid === undefined ? [] : [svid.spiffeId],
    authorization: call.metadata.get('authorization').map(String),
  }
}
