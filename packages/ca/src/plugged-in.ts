import { X509Certificate } from 'node:crypto'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { readCertificate, type Signer } from './certificate.js'
import { readDer } from './der/reader.js'
import { importKey, weakness } from './keys.js'
import { toPem } from './pem.js'

/** Of a CA that others have made: longer than what leaves may have. */
const LONGEST_RSA = 8192

/** Istio's secret `cacerts`, PEM. */
export interface PluggedInFiles {
  /** `ca-cert.pem`: the signing CA. */
  readonly caCert: string
  /** `ca-key.pem`: its key. */
  readonly caKey: string
  /** `root-cert.pem`: one or more roots. */
  readonly rootCert: string
  /** `cert-chain.pem`: from the signing CA up to below or including the root. Empty when the CA is the root. */
  readonly certChain: string
}

export interface PluggedInAuthority {
  readonly signer: Signer
  readonly trustBundle: readonly string[]
}

/** Checks that the files are a CA that can sign: the key is the certificate's, it is a CA, it is in time, and its chain ends in one of the roots. */
export async function openPluggedIn(files: PluggedInFiles, now: number): Promise<Result<PluggedInAuthority>> {
  const refuse = (path: string, why: string): Result<PluggedInAuthority> => fail(problem('ca.plugged_in', path, why))
  const [signing] = await certificates(files.caCert)
  const roots = await certificates(files.rootCert)
  if (signing === undefined) return refuse('ca-cert.pem', 'it holds no certificate')
  if (roots.length === 0) return refuse('root-cert.pem', 'it holds no certificate')
  const facts = readCertificate(new Uint8Array(signing.raw))
  if (!facts.ok) return facts
  if (!facts.value.ca) return refuse('ca-cert.pem', 'it is not a CA certificate (basicConstraints)')
  if (facts.value.notAfter <= now || facts.value.notBefore > now)
    return refuse('ca-cert.pem', `it is valid from ${signing.validFrom} to ${signing.validTo} only`)
  const key = openKey(files.caKey)
  if (key === undefined) return refuse('ca-key.pem', 'it is not a private key in PEM without a password')
  const weak = weakness(key, LONGEST_RSA)
  if (weak !== undefined) return refuse('ca-key.pem', `it is ${weak}`)
  if (!signing.checkPrivateKey(key)) return refuse('ca-key.pem', 'it is not the key of ca-cert.pem')
  const chain = chainToRoot(signing, await certificates(files.certChain), roots)
  if (chain === undefined) return refuse('cert-chain.pem', 'it does not lead from ca-cert.pem to a root of root-cert.pem')
  return ok({ signer: { certificate: facts.value, key, chain: chain.map(pemOf) }, trustBundle: roots.map(pemOf) })
}

/** The certificates between a leaf and the root: the signing CA, then its issuers, without the root; undefined when no path exists. */
function chainToRoot(
  signing: X509Certificate,
  pool: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const chain: X509Certificate[] = []
  let at = signing
  for (let steps = 0; steps < 8; steps++) {
    if (roots.some((root) => root.raw.equals(at.raw))) return chain
    chain.push(at)
    const below = at
    const issuer = [...roots, ...pool].find((other) => other.ca && below.checkIssued(other) && below.verify(other.publicKey))
    if (issuer === undefined) return undefined
    at = issuer
  }
  return undefined
}

const pemOf = (certificate: X509Certificate): string => toPem('CERTIFICATE', new Uint8Array(certificate.raw))

function openKey(pem: string): ReturnType<typeof importKey> | undefined {
  try {
    return importKey(pem)
  } catch {
    return undefined
  }
}

/** PEM from other people's tools, with the odd header or comment, is node-forge's: loaded only when somebody plugs a CA in. What it finds goes through our strict reader first. */
async function certificates(text: string): Promise<X509Certificate[]> {
  if (text.trim() === '') return []
  const { default: forge } = await import('node-forge')
  const blocks = decodePem(forge, text)
  return blocks.flatMap(({ type, body }) => {
    const der = Buffer.from(body, 'binary')
    if (!/^(X509 |TRUSTED )?CERTIFICATE$/.test(type) || !readDer(new Uint8Array(der)).ok) return []
    try {
      return [new X509Certificate(der)]
    } catch {
      return []
    }
  })
}

function decodePem(forge: typeof import('node-forge'), text: string): readonly { type: string; body: string }[] {
  try {
    return forge.pem.decode(text)
  } catch {
    return []
  }
}
