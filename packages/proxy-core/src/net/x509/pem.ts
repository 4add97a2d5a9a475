const known = new Map<string, readonly Uint8Array[]>()
const MOST_KNOWN = 64

/** DER of the certificates and revocation lists of a PEM text, in order. */
export function derOf(pem: string): readonly Uint8Array[] {
  let all = known.get(pem)
  if (all === undefined) {
    const blocks = pem.matchAll(/-----BEGIN (CERTIFICATE|X509 CRL)-----([^-]+)-----END \1-----/g)
    all = [...blocks].map(([, , base64 = '']) => Buffer.from(base64, 'base64'))
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(pem, all)
  }
  return all
}

/** The certificates, or the revocation lists, of a PEM text: each as a PEM text of its own, in order. */
export function pemBlocks(pem: string, label: 'CERTIFICATE' | 'X509 CRL'): readonly string[] {
  return pem.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? []
}

export function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
