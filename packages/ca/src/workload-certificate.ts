import { type KeyObject, X509Certificate } from 'node:crypto'
import {
  type Clock,
  createBackoff,
  createWatch,
  type Logger,
  type Random,
  silentLogger,
  type Unsubscribe,
  type Watch,
} from '@heddle/runtime'
import { CaError, type CertificateAuthority, type ReplaceableAuthority } from './authority.js'
import { createCsr } from './csr.js'
import type { SubjectAltName } from './extensions.js'
import { createKey, exportKey, type KeyAlgorithm } from './keys.js'
import { readNames } from './names.js'
import { fromPem } from './pem.js'

/** What a workload needs to speak mTLS, all PEM. */
export interface Identity {
  /** PKCS #8. */
  readonly privateKey: string
  /** Leaf first. */
  readonly certificateChain: string
  readonly trustBundle: string
  /** The leaf's URI. */
  readonly spiffeId: string
  /** Milliseconds since the epoch. */
  readonly notAfter: number
}

/** What a CA answers, PEM. */
export interface SignedChain {
  /** Leaf first, without roots. */
  readonly chain: readonly string[]
  readonly trustBundle: readonly string[]
}

export interface WorkloadCertificateOptions {
  readonly clock: Clock
  readonly random: Random
  /** Has a CSR (DER) signed: `client.request`, or an authority in the same process. May fail; it is asked again. */
  readonly request: (csr: Uint8Array) => Promise<SignedChain>
  /** Names to put into the CSR for CAs that want them there; ours and Istio's go by the caller. Default none. */
  readonly spiffeId?: string
  /** Default P-256. */
  readonly algorithm?: KeyAlgorithm
  readonly logger?: Logger
  /** Asked for anew, at once, with each change: the CA's roots and signer, where those are known. Default: only in time. */
  readonly renewOn?: readonly Watch<unknown>[]
  /** First retry within this many milliseconds, default 500; doubled up to `maxRetryMs`, default 30,000. */
  readonly baseRetryMs?: number
  readonly maxRetryMs?: number
}

/** A workload's certificate, kept fresh. */
export interface WorkloadCertificate {
  /** Undefined until the first certificate is there. A renewal that fails leaves the last one. */
  readonly identity: Watch<Identity | undefined>
  /** The first certificate. Rejects only when closed before. */
  ready(): Promise<Identity>
  close(): void
}

type Check = (signed: SignedChain, key: KeyObject, now: number) => Pick<Identity, 'spiffeId' | 'notAfter'>

/** Asks for a certificate at once, and for the next one, with a new key, when about half of its lifetime (45 to 55 %, by chance) has passed. */
export function createWorkloadCertificate(options: WorkloadCertificateOptions): WorkloadCertificate {
  return keepFresh(options, checkWorkload)
}

export interface ServerCertificateOptions extends Omit<WorkloadCertificateOptions, 'request' | 'spiffeId' | 'renewOn'> {
  /** Changes of its roots, and of its signer, renew the certificate at once. */
  readonly authority: CertificateAuthority & Partial<Pick<ReplaceableAuthority, 'signer'>>
  /** `{ dns: 'istiod.istio-system.svc' }`, `{ ip: '127.0.0.1' }` */
  readonly names: readonly SubjectAltName[]
  /** Default: the authority's. */
  readonly ttlMs?: number
}

/** The certificate of a server beside the authority, the control plane itself, kept fresh like a workload's; `spiffeId` is empty unless a URI is among the names. */
export function createServerCertificate({ authority, names, ttlMs, ...options }: ServerCertificateOptions): WorkloadCertificate {
  const grant = { names, ...(ttlMs === undefined ? {} : { ttlMs }) }
  const request = async (csr: Uint8Array): Promise<SignedChain> => ({
    chain: await authority.sign(csr, grant),
    trustBundle: authority.trustBundle.current,
  })
  const { trustBundle, signer } = authority
  const renewOn = signer === undefined ? [trustBundle] : [trustBundle, signer]
  return keepFresh({ ...options, request, renewOn }, checkLeaf)
}

function keepFresh(options: WorkloadCertificateOptions, check: Check): WorkloadCertificate {
  const { clock, random, logger = silentLogger, baseRetryMs = 500, maxRetryMs = 30_000 } = options
  const identity = createWatch<Identity | undefined>(undefined)
  const backoff = createBackoff({ clock, random, baseMs: baseRetryMs, maxMs: maxRetryMs })
  const closed = createWatch(false)
  let cancel: Unsubscribe = () => {}

  const renew = async (): Promise<void> => {
    try {
      const next = await requestIdentity(options, check)
      if (closed.current) return
      backoff.reset()
      const delay = (next.notAfter - clock.now()) * (0.45 + 0.1 * random.next())
      cancel = clock.after(delay, ask)
      identity.set(next)
    } catch (error) {
      if (closed.current) return
      const left = identity.current === undefined ? undefined : Math.round((identity.current.notAfter - clock.now()) / 1000)
      logger.warn(
        { error: error instanceof Error ? error.message : String(error), validForSeconds: left, failures: backoff.failures + 1 },
        'no new certificate; trying again',
      )
      cancel = backoff.retry(ask)
    }
  }
  let asking = false
  let again = false
  const ask = (): void => {
    // What has changed while an answer was on its way may not be in it.
    again = asking
    if (asking || closed.current) return
    cancel()
    asking = true
    void renew().then(() => {
      asking = false
      if (again) ask()
    })
  }
  const stops = (options.renewOn ?? []).map((watch) => watch.subscribe(ask))
  ask()
  return {
    identity,
    ready: () => firstValue(identity, closed),
    close() {
      for (const stop of stops) stop()
      cancel()
      closed.set(true)
    },
  }
}

async function requestIdentity(
  { clock, request, spiffeId, algorithm }: WorkloadCertificateOptions,
  check: Check,
): Promise<Identity> {
  const key = await createKey(algorithm)
  const signed = await request(createCsr(key, spiffeId === undefined ? [] : [{ uri: spiffeId }]))
  const certificateChain = signed.chain.join('')
  return {
    privateKey: exportKey(key),
    certificateChain,
    trustBundle: signed.trustBundle.join(''),
    ...check(signed, key, clock.now()),
  }
}

/** An X509-SVID has exactly one URI (§2). */
function checkWorkload(signed: SignedChain, key: KeyObject, now: number): Pick<Identity, 'spiffeId' | 'notAfter'> {
  const facts = checkLeaf(signed, key, now)
  if (facts.spiffeId === '')
    throw new CaError('ca.certificate', 'the CA answered with a certificate that has not exactly one URI')
  return facts
}

/** A CA that answers with another key's certificate, an expired one or one without roots must not take the place of a good one. */
function checkLeaf({ chain, trustBundle }: SignedChain, key: KeyObject, now: number): Pick<Identity, 'spiffeId' | 'notAfter'> {
  const [der] = fromPem('CERTIFICATE', chain[0] ?? '')
  if (der === undefined) throw new CaError('ca.certificate', 'the CA answered without a certificate')
  const leaf = new X509Certificate(Buffer.from(der))
  const notAfter = Date.parse(leaf.validTo)
  const uris = readNames(der).flatMap((name) => ('uri' in name ? [name.uri] : []))
  if (!leaf.checkPrivateKey(key)) throw new CaError('ca.certificate', 'the CA answered with a certificate for another key')
  if (notAfter <= now) throw new CaError('ca.expired', `the CA answered with a certificate that expired at ${leaf.validTo}`)
  if (trustBundle.length === 0) throw new CaError('ca.certificate', 'the CA answered without roots to trust')
  return { spiffeId: uris.length === 1 ? (uris[0] as string) : '', notAfter }
}

function firstValue(identity: Watch<Identity | undefined>, closed: Watch<boolean>): Promise<Identity> {
  if (identity.current !== undefined) return Promise.resolve(identity.current)
  return new Promise((resolve, reject) => {
    const stops = [
      identity.subscribe((value) => {
        if (value === undefined) return
        for (const stop of stops) stop()
        resolve(value)
      }),
      closed.subscribe(() => {
        for (const stop of stops) stop()
        reject(new CaError('ca.closed', 'closed before the first certificate came'))
      }),
    ]
    if (closed.current) reject(new CaError('ca.closed', 'closed before the first certificate came'))
  })
}
