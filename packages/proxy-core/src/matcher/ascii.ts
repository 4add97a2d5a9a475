const UPPER = /[A-Z]/
const EVERY_UPPER = /[A-Z]/g

/** Lower case of A to Z only, as Envoy folds: no Unicode letter becomes an ASCII one. */
export function asciiLower(text: string): string {
  return UPPER.test(text) ? text.replace(EVERY_UPPER, (letter) => letter.toLowerCase()) : text
}
