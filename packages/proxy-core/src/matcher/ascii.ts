const EVERY_UPPER = /[A-Z]/g

/** Lower case of A to Z only, as Envoy folds: no Unicode letter becomes an ASCII one. */
export function asciiLower(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 65 && code <= 90) return text.replace(EVERY_UPPER, (letter) => letter.toLowerCase())
  }
  return text
}
