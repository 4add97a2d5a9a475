import type { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from './connection.js'
import { type DescribedPeer, issuerOf } from './x509/peer-certificate.js'

/** What is known of a certificate, with the chain that it came with this time. */
export class PresentedPeer implements PeerCertificate {
  readonly hash: string
  readonly serial: string
  readonly subject: string
  readonly uris: readonly string[]
  readonly dns: readonly string[]
  readonly der: Uint8Array
  readonly #described: DescribedPeer
  readonly #leaf: X509Certificate
  readonly #trustBundle: string | undefined

  /** `trustBundle`: of a peer that is verified. */
  constructor(described: DescribedPeer, leaf: X509Certificate, trustBundle: string | undefined) {
    this.hash = described.hash
    this.serial = described.serial
    this.subject = described.subject
    this.uris = described.uris
    this.dns = described.dns
    this.der = described.der
    this.#described = described
    this.#leaf = leaf
    this.#trustBundle = trustBundle
  }

  validity(): { readonly from: number; readonly to: number } {
    return this.#described.validity()
  }

  pem(): string {
    return this.#described.pem()
  }

  chain(): readonly Uint8Array[] {
    return chainOf(this.#leaf).map(({ raw }) => raw)
  }

  issuer(): Uint8Array | undefined {
    return this.#trustBundle === undefined ? undefined : issuerOf(this.chain(), this.#trustBundle)
  }
}

/** As presented, leaf first. */
export function chainOf(leaf: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let each: X509Certificate | undefined = leaf; each !== undefined; each = each.issuerCertificate) chain.push(each)
  return chain
}
