import { isIP } from 'node:net'
import { EXTENSION, KEY_USAGE, type ParsedCertificate } from './certificate.js'
import { childrenOf, expectTag, oidOf, onlyDer, TAG } from './der.js'
import { attributeValues, type GeneralName, readGeneralNames } from './general-names.js'
import { dnsNameProblem, ipText } from './host-names.js'

/** What RFC 5280 and the CA/Browser Forum's rules ask of each certificate in a chain, beside how they fit together. */

const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTENSION))
const MUST_NOT_BE_CRITICAL = [EXTENSION.subjectKeyIdentifier, EXTENSION.authorityKeyIdentifier, EXTENSION.authorityInfoAccess]
const MUST_BE_CRITICAL = [EXTENSION.nameConstraints, EXTENSION.policyConstraints, EXTENSION.inhibitAnyPolicy]
const CURVES: ReadonlySet<string> = new Set(['1.2.840.10045.3.1.7', '1.3.132.0.34', '1.3.132.0.35'])
const COMMON_NAME = '2.5.4.3'
const EMPTY_NAME = '3000'
const SHORTEST_RSA = 2048
const LONGEST_SERIAL = 20

type Check = (certificate: ParsedCertificate) => string | undefined

/** The first thing that is wrong with any certificate of a chain. */
export function commonProblem(certificate: ParsedCertificate): string | undefined {
  return COMMON.map((check) => check(certificate)).find((problem) => problem !== undefined)
}

const COMMON: readonly Check[] = [
  ({ version }) => (version === 3 ? undefined : 'the certificate is not of version 3'),
  ({ issuer }) => (issuer === EMPTY_NAME ? 'the issuer has no name' : undefined),
  ({ extensions }) => {
    const wrongly = MUST_NOT_BE_CRITICAL.find((oid) => extensions.get(oid)?.critical === true)
    if (wrongly !== undefined) return `the extension ${wrongly} must not be critical`
    const not = MUST_BE_CRITICAL.find((oid) => extensions.get(oid)?.critical === false)
    return not === undefined ? undefined : `the extension ${not} must be critical`
  },
  keyProblem,
  authorityInfoProblem,
]

export function criticalProblem({ extensions }: ParsedCertificate): string | undefined {
  for (const [oid, { critical }] of extensions) if (critical && !KNOWN.has(oid)) return `the critical extension ${oid} is unknown`
  return undefined
}

/** What a certificate must say to sign others at all. */
export function signerProblem({ isCa, keyUsage }: ParsedCertificate): string | undefined {
  if (!isCa) return 'a certificate that is no CA has signed another'
  return keyUsage?.(KEY_USAGE.keyCertSign) === false ? 'a CA may not sign certificates' : undefined
}

function keyProblem({ x509, curve }: ParsedCertificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = x509.publicKey
  if (type === 'ec') return CURVES.has(curve ?? '') ? undefined : 'the curve of the key is not P-256, P-384 or P-521'
  if (type === 'ed25519') return undefined
  const bits = details?.modulusLength ?? 0
  if (type !== 'rsa' && type !== 'rsa-pss') return `keys of type ${type} are not trusted`
  return bits >= SHORTEST_RSA && bits % 8 === 0 ? undefined : `an RSA key of ${bits} bits is not trusted`
}

function authorityInfoProblem({ extensions }: ParsedCertificate): string | undefined {
  const value = extensions.get(EXTENSION.authorityInfoAccess)?.value
  if (value === undefined) return undefined
  const all = childrenOf(value, onlyDer(value, TAG.sequence))
  for (const each of all) oidOf(value, childrenOf(value, expectTag(each, TAG.sequence))[0]!)
  return all.length === 0 ? 'authorityInfoAccess is empty' : undefined
}

/** Of certificates that somebody else vouches for: old roots are numbered 0. */
export function serialProblem({ serial }: ParsedCertificate): string | undefined {
  if (serial.length > LONGEST_SERIAL) return 'the serial number is too long'
  return (serial[0] ?? 0x80) >= 0x80 || serial.every((byte) => byte === 0) ? 'the serial number is not positive' : undefined
}

/** Of a certificate that signs others. `anchor`: it is trusted for itself; `crossSigned`: others vouch for its name and key as well. */
export function issuerProblem(certificate: ParsedCertificate, anchor: boolean, crossSigned: () => boolean): string | undefined {
  const { extensions, subject, issuer, extendedKeyUsage } = certificate
  const selfIssued = subject === issuer
  if (subject === EMPTY_NAME) return 'a CA has no name'
  if (extensions.get(EXTENSION.basicConstraints)?.critical !== true) return 'a CA does not say critically that it is one'
  if (!extensions.has(EXTENSION.subjectKeyIdentifier)) return 'a CA has no subjectKeyIdentifier'
  if (anchor && extendedKeyUsage !== undefined) return 'a root says what it is for'
  if (anchor && !extensions.has(EXTENSION.authorityKeyIdentifier) && (selfIssued || crossSigned())) return undefined
  return (anchor ? undefined : serialProblem(certificate)) ?? authorityKeyProblem(certificate, anchor && selfIssued)
}

/** authorityKeyIdentifier has the identifier of a key, and of a root that of its own key and nothing else. */
function authorityKeyProblem({ extensions }: ParsedCertificate, root: boolean): string | undefined {
  const value = extensions.get(EXTENSION.authorityKeyIdentifier)?.value
  if (value === undefined) return 'a certificate has no authorityKeyIdentifier'
  const parts = childrenOf(value, onlyDer(value, TAG.sequence))
  const key = parts.find(({ tag }) => tag === 0x80)
  if (key === undefined) return 'an authorityKeyIdentifier names no key'
  if (!root) return undefined
  if (parts.length > 1) return 'the authorityKeyIdentifier of a root names more than a key'
  const own = extensions.get(EXTENSION.subjectKeyIdentifier)?.value ?? new Uint8Array()
  const same = Buffer.compare(value.subarray(key.start, key.end), own.subarray(onlyDer(own, TAG.octetString).start)) === 0
  return same ? undefined : 'a root names another key than its own'
}

/** Of the certificate that a peer presents. */
export function leafProblem(certificate: ParsedCertificate): string | undefined {
  const { extensions, isCa, keyUsage, extendedKeyUsage, subject } = certificate
  if (isCa) return 'a CA is not a peer'
  if (keyUsage?.(KEY_USAGE.keyCertSign) === true) return 'a peer may sign certificates'
  if (extensions.has(EXTENSION.nameConstraints)) return 'a peer constrains names'
  if (extendedKeyUsage?.length === 0) return 'extendedKeyUsage is empty'
  const names = extensions.get(EXTENSION.subjectAltName)
  if (names === undefined) return 'the certificate has no subjectAltName'
  if (names.critical !== (subject === EMPTY_NAME))
    return 'subjectAltName must be critical where there is no subject, and only there'
  return (
    serialProblem(certificate) ??
    authorityKeyProblem(certificate, false) ??
    namesProblem(certificate, readGeneralNames(names.value))
  )
}

function namesProblem({ subjectDer }: ParsedCertificate, names: readonly GeneralName[]): string | undefined {
  const hosts: string[] = []
  const addresses: string[] = []
  for (const name of names) {
    const problem = nameProblem(name)
    if (problem !== undefined) return problem
    if (name.kind === 'dns') hosts.push(name.value)
    if (name.kind === 'ip') addresses.push(ipText(name.value) ?? '')
  }
  const stranger = attributeValues(subjectDer, COMMON_NAME).find((text) => {
    if (LIKE_AN_ADDRESS.test(text)) return !addresses.includes(text)
    return hosts.length > 0 && !hosts.some((host) => host === text || host.endsWith(`.${text}`))
  })
  return stranger === undefined ? undefined : 'the common name is none of the names of subjectAltName'
}

/** Also in forms that some take for an address. */
const LIKE_AN_ADDRESS = /^(?:0x[0-9a-f]+|[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*)$/i

function nameProblem(name: GeneralName): string | undefined {
  switch (name.kind) {
    case 'dns':
      return isIP(name.value) !== 0 ? 'a DNS name is an address' : dnsNameProblem(name.value)
    case 'ip':
      return name.value.length === 4 || name.value.length === 16 ? undefined : 'an address is neither of IPv4 nor of IPv6'
    case 'email':
      return name.value.split('@').length === 2 ? undefined : 'an e-mail address is malformed'
    default:
      return undefined
  }
}
