/** Whether `text` is an IPv4 or IPv6 address; a zone (`fe80::1%eth0`) is allowed. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text)
}

/** Whether `text` is `address/bits`. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash < 0) return false
  const address = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits) || address.includes('%')) return false
  return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128)
}

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

function isIpv6(text: string): boolean {
  const percent = text.indexOf('%')
  if (percent >= 0 && percent === text.length - 1) return false
  let address = percent < 0 ? text : text.slice(0, percent)
  const lastColon = address.lastIndexOf(':')
  if (lastColon < 0) return false
  // An IPv4 address at the end stands for two groups.
  if (address.slice(lastColon + 1).includes('.')) {
    if (!isIpv4(address.slice(lastColon + 1))) return false
    address = `${address.slice(0, lastColon + 1)}0:0`
  }
  const halves = address.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false
  return halves.length === 2 ? groups.length < 8 : groups.length === 8
}
