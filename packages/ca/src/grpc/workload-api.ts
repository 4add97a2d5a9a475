import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { type Clock, formatDiagnostic, type Watch } from '@heddle/runtime'
import { grpcService } from '@heddle/xds-types/grpc'
import {
  type JWTBundlesResponse,
  type JWTSVIDRequest,
  type JWTSVIDResponse,
  SpiffeWorkloadAPI,
  type ValidateJWTSVIDRequest,
  type ValidateJWTSVIDResponse,
} from '@heddle/xds-types/spiffe/workload'
import { type JwtSvidIssuer, verifyJwtSvid } from '../jwt-svid.js'
import type { TrustBundles } from '../trust-bundle.js'
import type { Identity } from '../workload-certificate.js'
import { jwtBundlesResponse, x509BundlesResponse, x509SvidResponse } from './workload-api-messages.js'

/** What one workload gets. */
export interface WorkloadEntry extends Identity {
  /** Tells the workload what an identity is for, where it has several; no two may be the same. */
  readonly hint?: string
}

export interface WorkloadApiOptions {
  /**
   * Of the workload behind this socket, the default identity first. There is no other proof of who is calling (Workload Endpoint §5): give
   * each workload a socket of its own. Empty: it has none, and is told so.
   */
  readonly identities: Watch<readonly WorkloadEntry[]>
  /** Its own trust domain's bundle and those federated with. */
  readonly bundles: Watch<TrustBundles>
  /** Revocation lists, PEM. */
  readonly crls?: Watch<readonly string[]>
  /** Makes JWT-SVIDs; without it FetchJWTSVID answers UNIMPLEMENTED. */
  readonly jwt?: JwtSvidIssuer
  readonly clock: Clock
}

/** `SpiffeWorkloadAPI`, to add to a grpc-js server on `unix:///run/spire/sockets/agent.sock`, without TLS. */
export interface WorkloadApi {
  addTo(server: Server): void
}

class Refusal extends Error {
  readonly code: status

  constructor(code: status, details: string) {
    super(details)
    this.code = code
  }
}

type Call = Pick<ServerUnaryCall<unknown, unknown>, 'metadata'>

/** X509-SVID and JWT-SVID profiles of the SPIFFE Workload API; the WIT-SVID profile, which is optional, answers UNIMPLEMENTED. */
export function createWorkloadApi(options: WorkloadApiOptions): WorkloadApi {
  const { identities, bundles, crls } = options
  const changes = [identities, bundles, ...(crls === undefined ? [] : [crls])]
  const handlers: UntypedServiceImplementation = {
    FetchX509SVID: streamOf(changes, () => x509SvidResponse(entitled(identities), bundles.current, crls?.current ?? [])),
    FetchX509Bundles: streamOf(changes, () => x509BundlesResponse(bundles.current, crls?.current ?? [])),
    FetchJWTBundles: streamOf([bundles], (): JWTBundlesResponse => jwtBundlesResponse(bundles.current)),
    FetchJWTSVID: unary((request: JWTSVIDRequest) => fetchJwtSvid(request, options)),
    ValidateJWTSVID: unary((request: ValidateJWTSVIDRequest) => validateJwtSvid(request, options)),
  }
  return { addTo: (server) => server.addService(grpcService(SpiffeWorkloadAPI, { Buffer }), handlers) }
}

/** Against requests that were forged through a proxy or an SSRF hole (Workload Endpoint §3). */
function checkHeader({ metadata }: Call): void {
  const [value, ...others] = metadata.get('workload.spiffe.io')
  if (value !== 'true' || others.length > 0)
    throw new Refusal(status.INVALID_ARGUMENT, 'the metadata workload.spiffe.io: true is missing')
}

function entitled(identities: Watch<readonly WorkloadEntry[]>): readonly WorkloadEntry[] {
  if (identities.current.length === 0) throw new Refusal(status.PERMISSION_DENIED, 'this workload has no identity')
  return identities.current
}

function replyOf(error: unknown): { code: status; details: string } {
  return error instanceof Refusal
    ? { code: error.code, details: error.message }
    : { code: status.INTERNAL, details: 'the answer could not be made' }
}

/** The answer at once, and again, whole, after each change. Changes that come together make one answer. */
function streamOf(changes: readonly Watch<unknown>[], build: () => object) {
  return (call: ServerWritableStream<unknown, unknown>): void => {
    let waiting = false
    const stop = (): void => {
      for (const one of stops) one()
    }
    const send = (): void => {
      waiting = false
      if (call.cancelled) return
      try {
        call.write(build())
      } catch (error) {
        stop()
        call.emit('error', replyOf(error))
      }
    }
    const changed = (): void => {
      if (waiting) return
      waiting = true
      queueMicrotask(send)
    }
    const stops = changes.map((one) => one.subscribe(changed))
    call.on('cancelled', stop)
    call.on('close', stop)
    try {
      checkHeader(call)
    } catch (error) {
      stop()
      call.emit('error', replyOf(error))
      return
    }
    send()
  }
}

function unary<Request, Response>(answer: (request: Request) => Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>): void => {
    Promise.resolve()
      .then(() => {
        checkHeader(call)
        return answer(call.request)
      })
      .then((response) => reply(null, response))
      .catch((error: unknown) => reply(replyOf(error)))
  }
}

async function fetchJwtSvid(request: JWTSVIDRequest, { jwt, identities }: WorkloadApiOptions): Promise<JWTSVIDResponse> {
  if (jwt === undefined) throw new Refusal(status.UNIMPLEMENTED, 'JWT-SVIDs are not issued here')
  const { audience = [], spiffe_id: wanted = '' } = request
  if (audience.length === 0 || audience.includes('')) throw new Refusal(status.INVALID_ARGUMENT, 'an audience is missing')
  const entries = entitled(identities).filter(({ spiffeId }) => wanted === '' || spiffeId === wanted)
  if (entries.length === 0) throw new Refusal(status.PERMISSION_DENIED, `this workload is not ${JSON.stringify(wanted)}`)
  const svids = entries.map(async ({ spiffeId, hint = '' }) => ({
    spiffe_id: spiffeId,
    svid: await jwt.issue(spiffeId, audience),
    hint,
  }))
  return { svids: await Promise.all(svids) }
}

async function validateJwtSvid(
  { audience = '', svid = '' }: ValidateJWTSVIDRequest,
  { bundles, clock }: WorkloadApiOptions,
): Promise<ValidateJWTSVIDResponse> {
  if (audience === '' || svid === '') throw new Refusal(status.INVALID_ARGUMENT, 'the audience or the token is missing')
  const verified = await verifyJwtSvid(svid, audience, bundles.current, { now: clock.now() })
  if (!verified.ok) throw new Refusal(status.INVALID_ARGUMENT, verified.diagnostics.map(formatDiagnostic).join('; '))
  return { spiffe_id: verified.value.spiffeId, claims: { ...verified.value.claims } }
}
