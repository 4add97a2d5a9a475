import { chainProblem, type PeerName } from '@heddle/proxy-core'
import { systemClock } from '@heddle/runtime'
import { each, type Suite, type Verdict } from '../suite.js'

interface Case {
  readonly id: string
  readonly validation_kind: 'SERVER' | 'CLIENT'
  readonly expected_result: 'SUCCESS' | 'FAILURE'
  /** PEM. */
  readonly peer_certificate: string
  readonly untrusted_intermediates: readonly string[]
  readonly trusted_certs: readonly string[]
  readonly crls: readonly string[]
  readonly validation_time: string | null
  readonly extended_key_usage: readonly string[]
  readonly expected_peer_name: Name | null
  readonly expected_peer_names: readonly Name[]
  readonly max_chain_depth: number | null
}

interface Name {
  readonly kind: 'DNS' | 'IP' | 'RFC822'
  readonly value: string
}

/** C2SP's x509-limbo: chains that must be trusted and chains that must not, by the strict verification that a handshake may ask for. */
export const x509Limbo: Suite = {
  name: 'x509-limbo',
  file: 'x509-limbo.json',
  run: (data) =>
    each(
      data.json() as Case[],
      ({ id }) => id,
      (one): Verdict => {
        const problem = problemOf(one)
        const got = problem === undefined ? 'SUCCESS' : 'FAILURE'
        return got === one.expected_result ? undefined : `want ${one.expected_result}, got ${problem ?? got}`
      },
    ),
}

function problemOf(one: Case): string | undefined {
  const name = peerName(one.expected_peer_name ?? one.expected_peer_names[0])
  return chainProblem({
    profile: 'strict',
    leaf: derOf(one.peer_certificate),
    presented: one.untrusted_intermediates.map(derOf),
    anchors: one.trusted_certs.map(derOf),
    crls: one.crls.map(derOf),
    at: one.validation_time === null ? systemClock.now() : Date.parse(one.validation_time),
    purpose: one.validation_kind === 'SERVER' ? 'server' : 'client',
    // A validator that is told which usage it wants wants it said.
    purposeIsRequired: one.validation_kind === 'SERVER' && one.extended_key_usage.length > 0,
    ...(one.max_chain_depth === null ? {} : { maxDepth: one.max_chain_depth }),
    ...(name === undefined ? {} : { name }),
  })
}

const KINDS = { DNS: 'dns', IP: 'ip', RFC822: 'email' } as const

function peerName(name: Name | undefined): PeerName | undefined {
  return name && { kind: KINDS[name.kind], value: name.value }
}

const derOf = (pem: string): Uint8Array => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
