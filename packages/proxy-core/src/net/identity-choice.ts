import { X509Certificate } from 'node:crypto'
import type { CertificateIdentity, TlsMaterial } from './tls.js'
import { readSubjectAltNames } from './x509/peer-certificate.js'

interface Known {
  readonly identity: CertificateIdentity
  readonly names: readonly string[]
  readonly keyType: string
}

const known = new WeakMap<TlsMaterial, readonly Known[]>()

/**
 * The certificates that a client is offered: those with its server name, or all when it says none, the first of each kind of key.
 * The first comes first; the handshake takes what the client can verify. Where no certificate has its name it is offered the first one
 * alone, or all by `scansAll` (full_scan_certs_on_sni_mismatch).
 */
export function identitiesFor(
  material: TlsMaterial,
  serverName: string | undefined,
  scansAll = false,
): readonly CertificateIdentity[] {
  const { certificateChain, privateKey, others = [] } = material
  if (certificateChain === undefined || privateKey === undefined) return others
  const first = { certificateChain, privateKey }
  if (others.length === 0) return [first]
  let all = known.get(material)
  if (all === undefined) {
    all = [first, ...others].map(describe)
    known.set(material, all)
  }
  const named = serverName === undefined ? [] : all.filter(({ names }) => names.some((name) => fits(name, serverName)))
  if (serverName !== undefined && named.length === 0 && !scansAll) return [first]
  const kinds = new Map<string, CertificateIdentity>()
  for (const { keyType, identity } of named.length === 0 ? all : named) if (!kinds.has(keyType)) kinds.set(keyType, identity)
  return [...kinds.values()]
}

function describe(identity: CertificateIdentity): Known {
  const certificate = new X509Certificate(identity.certificateChain)
  const { dns } = readSubjectAltNames(certificate.raw)
  const commonName = /^CN=(.*)$/m.exec(certificate.subject ?? '')?.[1]
  const names = dns.length > 0 || commonName === undefined ? dns : [commonName]
  const keyType = certificate.publicKey.asymmetricKeyType ?? ''
  return { identity, names: names.map((name) => name.toLowerCase()), keyType }
}

/** A wildcard stands for one label. */
function fits(name: string, serverName: string): boolean {
  if (!name.startsWith('*.')) return name === serverName
  const dot = serverName.indexOf('.')
  return dot > 0 && serverName.slice(dot) === name.slice(1)
}
