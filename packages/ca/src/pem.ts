const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g

/** RFC 7468, lines of 64. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.length)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** The blocks with this label, in order. Text between blocks is passed over, as every tool does. */
export function fromPem(label: string, text: string): Uint8Array[] {
  const blocks: Uint8Array[] = []
  for (const [, found, body = ''] of text.matchAll(BLOCK))
    if (found === label) blocks.push(new Uint8Array(Buffer.from(body, 'base64')))
  return blocks
}

/** A bundle as a list of single certificates, each as PEM again. */
export function splitCertificates(text: string): string[] {
  return fromPem('CERTIFICATE', text).map((der) => toPem('CERTIFICATE', der))
}
