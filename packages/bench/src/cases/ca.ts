import { createPublicKey, X509Certificate } from 'node:crypto'
import type { BenchCase } from '../bench-case.js'
import { looped } from '../looped.js'
import { packageVersion } from '../peers/find.js'
import type { ShownChain } from '../workers/csr.js'

/** A certificate request in PEM to a chain in PEM: parsed, verified, issued, signed. One after the other, on one core. */
export function caCases(): readonly BenchCase[] {
  return [
    caCase('P-256; node-forge has no ECDSA and does RSA 2048', 'P-256', [forge({ must: 50, after: 100 }), peculiar()]),
    caCase('RSA 2048 on both sides', 'RSA-2048', [forge()]),
  ]
}

type Peer = BenchCase['peers'][number]

function caCase(name: string, algorithm: string, peers: readonly Peer[]): BenchCase {
  return {
    bench: 'ca',
    name: `CSR to chain, ${name}`,
    unit: 'chains/s',
    better: 'higher',
    ours: looped({ name: 'ca', worker: 'csr', args: ['ours', algorithm], verify }),
    peers,
  }
}

function forge(goal?: { must: number; after: number }): Peer {
  const name = `node-forge ${packageVersion('node-forge')}`
  return looped({ name, worker: 'csr', args: ['forge', 'RSA-2048'], verify, ...(goal === undefined ? {} : { goal }) })
}

function peculiar(): Peer {
  const name = `@peculiar/x509 ${packageVersion('@peculiar/x509')}`
  return looped({ name, worker: 'csr', args: ['peculiar', 'P-256'], verify })
}

/** By OpenSSL: each certificate is signed by the next, the leaf has the request's key and the granted name. */
function verify(shown: unknown): void {
  const { chain, publicKey } = shown as ShownChain
  const certificates = chain.map((pem) => new X509Certificate(pem))
  const [leaf] = certificates
  if (leaf === undefined || certificates.length < 2) throw new Error(`the chain has ${certificates.length} certificates`)
  certificates.forEach((certificate, at) => {
    const issuer = certificates[at + 1] ?? certificate
    if (!certificate.verify(issuer.publicKey)) throw new Error(`certificate ${at} is not signed by the next`)
  })
  if (!leaf.publicKey.equals(createPublicKey(publicKey))) throw new Error('the leaf has another key than the request')
  if (leaf.subjectAltName !== 'URI:spiffe://cluster.local/ns/shop/sa/cart')
    throw new Error(`the leaf is for ${leaf.subjectAltName}`)
}
