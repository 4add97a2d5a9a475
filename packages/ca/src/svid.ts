import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import { readSpiffeUri, type SpiffeUri } from './spiffe-uri.js'
import { type KeyUse, readX509, type X509View } from './x509.js'

/** An X509-SVID that follows the rules for its kind; nobody has looked at who signed it. */
export interface Svid {
  readonly certificate: X509View
  /** The URI as it stands. */
  readonly spiffeId: string
  readonly id: SpiffeUri
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const EMPTY_NAME_BYTES = 2

const uses = ({ keyUsage }: X509View, use: KeyUse): boolean => keyUsage?.uses.has(use) === true
const urisOf = ({ names }: X509View): readonly string[] => names.flatMap((name) => ('uri' in name ? [name.uri] : []))

/** What must hold, the section of X509-SVID that says so, and what to tell when it does not. */
type Rule = readonly [section: string, holds: (certificate: X509View) => boolean, message: string]

const BOTH: readonly Rule[] = [
  ['4.3', ({ keyUsage }) => keyUsage !== undefined, 'it has no key usage'],
  ['4.3', ({ keyUsage }) => keyUsage?.critical !== false, 'its key usage is not critical'],
  ['5.1', ({ unknownCritical }) => unknownCritical.length === 0, 'it has a critical extension that is not understood'],
]

const LEAF: readonly Rule[] = [
  ['2', (it) => urisOf(it).length > 0, 'it has no URI name'],
  ['2', (it) => urisOf(it).length < 2, 'it has more than one URI name'],
  [
    '3.1',
    ({ subject, namesCritical }) => subject.length > EMPTY_NAME_BYTES || namesCritical,
    'it has no subject, and its names are not critical',
  ],
  ['4.1', ({ constraints }) => constraints?.ca !== true, 'it is a CA, which must not be used to authenticate'],
  ['4.3', (it) => uses(it, 'digitalSignature'), 'its key usage lacks digitalSignature'],
  ['4.3', (it) => !uses(it, 'keyCertSign'), 'its key usage has keyCertSign, which is for signing certificates'],
  ['4.3', (it) => !uses(it, 'cRLSign'), 'its key usage has cRLSign, which is for signing certificates'],
  [
    '4.4',
    ({ extendedKeyUsage: purposes }) => purposes === undefined || purposes.includes(SERVER_AUTH),
    'its extended key usage lacks serverAuth',
  ],
  [
    '4.4',
    ({ extendedKeyUsage: purposes }) => purposes === undefined || purposes.includes(CLIENT_AUTH),
    'its extended key usage lacks clientAuth',
  ],
]

const SIGNING: readonly Rule[] = [
  ['4.1', ({ constraints }) => constraints?.ca === true, 'it is no CA (basicConstraints)'],
  ['4.3', (it) => uses(it, 'keyCertSign'), 'its key usage lacks keyCertSign'],
  ['2', (it) => urisOf(it).length < 2, 'it has more than one URI name'],
]

/**
 * A leaf certificate by X509-SVID §2 to §5.2: exactly one URI, a SPIFFE ID with a path, not a CA, and usable for TLS on both sides.
 * All that is wrong is told; code `ca.svid`.
 */
export function readLeafSvid(der: Uint8Array): Result<Svid> {
  const read = readX509(der)
  if (!read.ok) return read
  const certificate = read.value
  const wrong = broken(certificate, [...BOTH, ...LEAF])
  const [spiffeId = ''] = urisOf(certificate)
  const id = readSpiffeUri(spiffeId)
  if (!id.ok) return fail(...wrong, ...(spiffeId === '' ? [] : id.diagnostics))
  if (id.value.path === '') wrong.push(refusal('3.1', 'its SPIFFE ID has no path; that is a trust domain, not a workload'))
  return wrong.length > 0 ? fail(...wrong) : ok({ certificate, spiffeId, id: id.value })
}

/**
 * A signing certificate, root or intermediate, by X509-SVID §3.2 and §4. It need not have a SPIFFE ID; when it has one, it is a trust
 * domain's. Code `ca.svid`.
 */
export function readSigningSvid(der: Uint8Array): Result<X509View> {
  const read = readX509(der)
  if (!read.ok) return read
  const wrong = broken(read.value, [...BOTH, ...SIGNING])
  const [spiffeId] = urisOf(read.value)
  const id = spiffeId === undefined ? undefined : readSpiffeUri(spiffeId)
  if (id?.ok === true && id.value.path !== '') wrong.push(refusal('3.2', 'a signing certificate whose SPIFFE ID has a path'))
  return wrong.length > 0 ? fail(...wrong) : ok(read.value)
}

function broken(certificate: X509View, rules: readonly Rule[]): Diagnostic[] {
  return rules.flatMap(([section, holds, message]) => (holds(certificate) ? [] : [refusal(section, message)]))
}

function refusal(section: string, message: string): Diagnostic {
  return problem('ca.svid', '', `${message} (X509-SVID §${section})`)
}
