/** The address in `1.2.3.4:80` or `[::1]:80`; text without a port comes back as it is. */
export function hostOf(text: string): string {
  if (text.startsWith('[')) return text.slice(1, text.indexOf(']'))
  const colon = text.lastIndexOf(':')
  return colon < 0 || text.indexOf(':') !== colon ? text : text.slice(0, colon)
}
