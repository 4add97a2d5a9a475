const ALPHABET = /^[A-Za-z0-9_-]*$/

/** RFC 4648 §5 as RFC 7515 wants it: no padding, no white space, unused bits zero. Undefined: it is not that. */
export function decodeBase64Url(text: string): Buffer | undefined {
  if (!ALPHABET.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
