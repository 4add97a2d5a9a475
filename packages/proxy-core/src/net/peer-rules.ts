import type { PeerSan } from './tls.js'

/** What a peer's certificate must be, beside being vouched for by a trust anchor. */
export interface PeerRules {
  /** A name of the certificate must pass one of them; none: any name will do. */
  readonly names: readonly ((san: PeerSan) => boolean)[]
  /** SHA-256 of the certificate in lower-case hex. One of these or of `spkis` must fit, where there are any. */
  readonly hashes: readonly string[]
  /** SHA-256 of the subjectPublicKeyInfo in base64. */
  readonly spkis: readonly string[]
  /** Certificates out of their time are let in. */
  readonly allowExpired: boolean
  /** ACCEPT_UNTRUSTED: whoever is refused by any of these is let in all the same, as a peer that was not verified. */
  readonly acceptUntrusted: boolean
}

export const NO_RULES: PeerRules = { names: [], hashes: [], spkis: [], allowExpired: false, acceptUntrusted: false }

export function peerRules(rules: Partial<PeerRules>): PeerRules {
  return { ...NO_RULES, ...rules }
}

/** As Envoy merges a validation context of SDS into the default one: lists are joined. */
export function joinRules(a: PeerRules | undefined, b: PeerRules | undefined): PeerRules {
  if (a === undefined || b === undefined) return a ?? b ?? NO_RULES
  return {
    names: [...a.names, ...b.names],
    hashes: [...a.hashes, ...b.hashes],
    spkis: [...a.spkis, ...b.spkis],
    allowExpired: a.allowExpired || b.allowExpired,
    acceptUntrusted: a.acceptUntrusted || b.acceptUntrusted,
  }
}

/** These rules look at the peer's certificate, so that it must be asked for. */
export function needsCertificate(rules: PeerRules): boolean {
  return saysWho(rules) || rules.acceptUntrusted
}

/** A peer without a certificate cannot fulfil these rules: Envoy refuses it whether certificates are required or not. */
export function requiresCertificate(rules: PeerRules): boolean {
  return saysWho(rules) && !rules.acceptUntrusted
}

const saysWho = ({ names, hashes, spkis }: PeerRules): boolean => names.length + hashes.length + spkis.length > 0

/** Envoy's counters of a peer that is not let in. */
export type PeerRefusal = 'fail_verify_no_cert' | 'fail_verify_error' | 'fail_verify_san' | 'fail_verify_cert_hash'

export class PeerRefusedError extends Error {
  readonly refusal: PeerRefusal

  constructor(refusal: PeerRefusal, message: string) {
    super(message)
    this.name = 'PeerRefusedError'
    this.refusal = refusal
  }
}

export interface JudgedPeer {
  readonly hash: string
  readonly spki: () => string
  readonly san: PeerSan
  /** What the peer is called in messages. */
  readonly title: string
}

/**
 * Whether the peer is verified: vouched for and within the rules. `problem`: why no trust anchor vouches for it; `trusted`: there
 * are trust anchors to ask. Throws {@link PeerRefusedError} when it is not let in.
 */
export function judgePeer(peer: JudgedPeer, trusted: boolean, problem: string | undefined, rules: PeerRules): boolean {
  const refused = refusalOf(peer, trusted, problem, rules)
  if (refused === undefined) return trusted || rules.hashes.length + rules.spkis.length > 0
  if (rules.acceptUntrusted) return false
  throw refused
}

function refusalOf(
  { hash, spki, san, title }: JudgedPeer,
  trusted: boolean,
  problem: string | undefined,
  { names, hashes, spkis }: PeerRules,
): PeerRefusedError | undefined {
  if (trusted && problem !== undefined) return new PeerRefusedError('fail_verify_error', problem)
  // Names that nobody vouches for are worth nothing.
  if (names.length > 0 && (!trusted || !names.some((test) => test(san))))
    return new PeerRefusedError('fail_verify_san', `the peer is ${title}, which the SAN matchers do not let in`)
  if (hashes.length + spkis.length > 0 && !hashes.includes(hash) && !spkis.includes(spki()))
    return new PeerRefusedError(
      'fail_verify_cert_hash',
      `the peer is ${title}, whose certificate is none of those that are pinned`,
    )
  return undefined
}

/** A certificate's `*.example.com` stands for exactly one label (CVE-2020-15104). Both in lower case. */
export function dnsNameFits(certificate: string, wanted: string): boolean {
  if (certificate === wanted) return true
  if (!certificate.startsWith('*.')) return false
  const dot = wanted.indexOf('.')
  return dot > 0 && wanted.slice(dot) === certificate.slice(1)
}
