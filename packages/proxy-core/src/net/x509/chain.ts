import { EXTENSION, type ParsedCertificate, parseCertificate } from './certificate.js'
import { type ParsedCrl, parseCrl, revocationProblem } from './crl.js'
import { type GeneralName, readDirectoryName, readGeneralNames } from './general-names.js'
import { hostNameFits, ipText } from './host-names.js'
import { constraintProblem, readNameConstraints } from './name-constraints.js'
import { commonProblem, criticalProblem, issuerProblem, leafProblem, signerProblem } from './profile.js'
import { HASH_OF_SIGNATURE } from './signatures.js'

export interface ChainQuestion {
  /** As the peer presented it. DER, as all certificates here. */
  readonly leaf: Uint8Array
  readonly presented: readonly Uint8Array[]
  readonly anchors: readonly Uint8Array[]
  readonly crls?: readonly Uint8Array[]
  /** Milliseconds since the epoch; undefined: certificates out of their time will do. */
  readonly at: number | undefined
  /**
   * `strict`: every MUST of RFC 5280 on certificates, and the CA/Browser Forum's rules on keys and names. `essential`: what trust
   * hangs on, as OpenSSL looks at it.
   */
  readonly profile: 'strict' | 'essential'
  /** What the peer's certificate must be for. */
  readonly purpose: 'server' | 'client'
  /** The certificate must say so, and nothing else but that: extendedKeyUsage with this purpose and without `any`. */
  readonly purposeIsRequired?: boolean
  /** A name that the certificate must be for; wildcards below public suffixes are for nobody. */
  readonly name?: PeerName
  /** CAs between the peer and the anchor that do not only sign for themselves. */
  readonly maxDepth?: number
}

export interface PeerName {
  readonly kind: 'dns' | 'ip' | 'email'
  readonly value: string
}

const PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const
const ANY_PURPOSE = '2.5.29.37.0'
/** Finding a path may be made to take for ever: so many signatures are checked. */
const MOST_SIGNATURES = 64
const LONGEST_PATH = 16

/** Why no chain of these certificates leads from the peer to a trust anchor (RFC 5280 §6); undefined when one does. Never throws. */
export function chainProblem(question: ChainQuestion): string | undefined {
  try {
    const leaf = parseCertificate(question.leaf)
    const search: Search = {
      question,
      anchors: parseAll(question.anchors),
      presented: parseAll(question.presented),
      crls: (question.crls ?? []).map(parseCrl),
      signatures: 0,
    }
    const strict = question.profile === 'strict'
    return (
      criticalProblem(leaf) ??
      (strict ? (commonProblem(leaf) ?? leafProblem(leaf)) : undefined) ??
      purposeProblem(leaf, question) ??
      nameProblem(leaf, question.name) ??
      extend(search, [leaf])
    )
  } catch (error) {
    return (error as Error).message
  }
}

interface Search {
  readonly question: ChainQuestion
  readonly anchors: readonly ParsedCertificate[]
  readonly presented: readonly ParsedCertificate[]
  readonly crls: readonly ParsedCrl[]
  signatures: number
}

/** Those that cannot be read lead nowhere. */
function parseAll(all: readonly Uint8Array[]): readonly ParsedCertificate[] {
  return all.flatMap((der) => {
    try {
      return [parseCertificate(der)]
    } catch {
      return []
    }
  })
}

/** Depth first, anchors before others; the first problem of a path that reached an anchor says the most. */
function extend(search: Search, path: readonly ParsedCertificate[]): string | undefined {
  const last = path.at(-1)!
  let problem: string | undefined
  if (path.length >= LONGEST_PATH) return 'the chain is too long'
  for (const [candidates, anchor] of [
    [search.anchors, true],
    [search.presented, false],
  ] as const) {
    for (const issuer of candidates) {
      if (issuer.subject !== last.issuer || path.some(({ der }) => Buffer.compare(der, issuer.der) === 0)) continue
      if (++search.signatures > MOST_SIGNATURES) return 'the chain takes too long to find'
      if (!HASH_OF_SIGNATURE.has(last.signatureAlgorithm) || !last.x509.verify(issuer.x509.publicKey)) continue
      const longer = [...path, issuer]
      const found = caProblem(search, issuer, anchor) ?? (anchor ? pathProblem(search, longer) : extend(search, longer))
      if (found === undefined) return undefined
      problem ??= found
    }
  }
  return problem ?? 'no chain leads to a trust anchor'
}

function caProblem({ question, presented }: Search, issuer: ParsedCertificate, anchor: boolean): string | undefined {
  const essential = criticalProblem(issuer) ?? signerProblem(issuer)
  if (essential !== undefined || question.profile === 'essential') return essential
  return commonProblem(issuer) ?? issuerProblem(issuer, anchor, () => presented.some((each) => isTwin(each, issuer)))
}

/** `path`: the peer first, the anchor last. */
function pathProblem({ question, crls }: Search, path: readonly ParsedCertificate[]): string | undefined {
  const { at } = question
  let intermediates = 0
  for (const [index, certificate] of path.entries()) {
    if (at !== undefined && at < certificate.notBefore) return 'a certificate is not valid yet'
    if (at !== undefined && Math.floor(at / 1000) * 1000 > certificate.notAfter) return 'a certificate has expired'
    if (index === 0) continue
    if (certificate.pathLength !== undefined && intermediates > certificate.pathLength)
      return 'the chain is longer than a CA allows'
    const usage = certificate.extendedKeyUsage
    if (usage !== undefined && !usage.includes(PURPOSES[question.purpose]) && !usage.includes(ANY_PURPOSE))
      return 'a CA is not for this purpose'
    const problem = namesProblem(certificate, path.slice(0, index)) ?? revocationProblem(path[index - 1]!, certificate, crls, at)
    if (problem !== undefined) return problem
    if (index < path.length - 1 && !isSelfIssued(certificate)) intermediates++
  }
  return question.maxDepth !== undefined && intermediates > question.maxDepth ? 'the chain is deeper than is allowed' : undefined
}

/** Of the same name and key, by another issuer. */
function isTwin(a: ParsedCertificate, b: ParsedCertificate): boolean {
  return a.subject === b.subject && a.issuer !== b.issuer && a.x509.publicKey.equals(b.x509.publicKey)
}

const isSelfIssued = ({ subject, issuer }: ParsedCertificate): boolean => subject === issuer

function namesProblem(ca: ParsedCertificate, below: readonly ParsedCertificate[]): string | undefined {
  const extension = ca.extensions.get(EXTENSION.nameConstraints)
  if (extension === undefined) return undefined
  const constraints = readNameConstraints(extension.value)
  for (const [index, certificate] of below.entries()) {
    if (index > 0 && isSelfIssued(certificate)) continue
    const problem = constraintProblem(constraints, namesOf(certificate))
    if (problem !== undefined) return problem
  }
  return undefined
}

function namesOf({ subjectDer, extensions }: ParsedCertificate): readonly GeneralName[] {
  const subject = readDirectoryName(subjectDer)
  const names = extensions.get(EXTENSION.subjectAltName)
  return [
    ...(subject.length === 0 ? [] : [{ kind: 'directory' as const, value: subject }]),
    ...(names === undefined ? [] : readGeneralNames(names.value)),
  ]
}

function nameProblem({ extensions }: ParsedCertificate, wanted: PeerName | undefined): string | undefined {
  if (wanted === undefined) return undefined
  const names = extensions.get(EXTENSION.subjectAltName)
  const fits = (name: GeneralName): boolean => {
    if (name.kind !== wanted.kind) return false
    if (name.kind === 'dns') return hostNameFits(name.value, wanted.value)
    return (name.kind === 'ip' ? ipText(name.value) : name.value) === wanted.value
  }
  return names !== undefined && readGeneralNames(names.value).some(fits)
    ? undefined
    : `the certificate is not for ${wanted.value}`
}

function purposeProblem({ extendedKeyUsage: usage, extensions }: ParsedCertificate, question: ChainQuestion): string | undefined {
  const wanted = PURPOSES[question.purpose]
  if (question.purposeIsRequired === true) {
    const exact = usage?.includes(wanted) === true && !usage.includes(ANY_PURPOSE)
    return exact && extensions.get(EXTENSION.extendedKeyUsage)?.critical === false
      ? undefined
      : `the certificate does not say that it is for a ${question.purpose}`
  }
  const isSilent = usage === undefined && question.profile === 'essential'
  return isSilent || usage?.includes(wanted) === true || usage?.includes(ANY_PURPOSE) === true
    ? undefined
    : `the certificate is not for a ${question.purpose}`
}
