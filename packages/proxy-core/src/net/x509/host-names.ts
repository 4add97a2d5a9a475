import { ipv6Text } from '../address.js'

/** Second labels under which every country registers names: no one owns `*.co.uk`. */
const REGISTRIES = /^(?:ac|co|com|edu|gov|mil|net|org)\.[a-z]{2}$/
/** Hosting where each name below is somebody else's; the best known of the Public Suffix List's private part. */
const SHARED: ReadonlySet<string> = new Set([
  'appspot.com',
  'azurewebsites.net',
  'blogspot.com',
  'cloudfront.net',
  'github.io',
  'herokuapp.com',
  'netlify.app',
  'pages.dev',
  's3.amazonaws.com',
  'vercel.app',
  'web.app',
  'workers.dev',
])

/** Letters, digits and hyphens; a `*` stands alone as the first label. */
export function dnsNameProblem(name: string): string | undefined {
  const labels = name.split('.')
  if (labels[0] === '*') labels.shift()
  const wellFormed = labels.length > 0 && labels.every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label))
  return wellFormed && name.length <= 253 ? undefined : `${JSON.stringify(name)} is no DNS name`
}

/** A wildcard stands for one label, and for none directly below a public suffix. */
export function hostNameFits(certificate: string, wanted: string): boolean {
  // Unicode has other dots, and other letters whose lower case is ASCII: a name is in A-labels or it is none (CVE-2026-48618).
  if (!/^[!-~]+$/.test(wanted)) return false
  const [name, host] = [certificate.toLowerCase(), wanted.toLowerCase()]
  if (!name.startsWith('*.')) return name === host
  const base = name.slice(2)
  if (!base.includes('.') || REGISTRIES.test(base) || SHARED.has(base)) return false
  return host.slice(host.indexOf('.') + 1) === base && host.indexOf('.') > 0
}

export function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.')
  return bytes.length === 16 ? ipv6Text(bytes) : undefined
}
