const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/
const WILDCARD_LABEL = /^(?:\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/
const MAX_LABEL = 63
const MAX_NAME = 255

/** A DNS label as Istio takes it: RFC 1123, capitals allowed. */
export function isDnsLabel(label: string): boolean {
  return label.length <= MAX_LABEL && LABEL.test(label)
}

/** What is wrong with a fully qualified name; undefined: nothing. A dot at the end is allowed. */
export function domainProblem(domain: string): string | undefined {
  return lengthProblem(domain) ?? labelsProblem(domain)
}

/** As {@link domainProblem}, with `*`, `*text` or `*-text` as first label. */
export function wildcardDomainProblem(domain: string): string | undefined {
  const problem = lengthProblem(domain)
  if (problem !== undefined) return problem
  const dot = domain.indexOf('.')
  const first = dot < 0 ? domain : domain.slice(0, dot)
  if (first.length > MAX_LABEL || !WILDCARD_LABEL.test(first)) return invalidLabel(domain, first)
  return dot < 0 ? undefined : labelsProblem(domain.slice(dot + 1))
}

function lengthProblem(domain: string): string | undefined {
  if (domain.length > MAX_NAME) return `domain name "${domain}" too long (max ${MAX_NAME})`
  return domain === '' ? 'empty domain name not allowed' : undefined
}

function labelsProblem(domain: string): string | undefined {
  const labels = domain.split('.')
  const last = labels[labels.length - 1] ?? ''
  if (/^[+-]?\d+$/.test(last)) return `domain name "${domain}" invalid (top level domain "${last}" cannot be all-numeric)`
  const bad = labels.find((label, i) => !(i === labels.length - 1 && label === '') && !isDnsLabel(label))
  return bad === undefined ? undefined : invalidLabel(domain, bad)
}

function invalidLabel(domain: string, label: string): string {
  return `domain name "${domain}" invalid (label "${label}" invalid: letters, digits and inner dashes, at most ${MAX_LABEL})`
}

/** Whether some name matches both hosts; either may begin with `*`. */
export function hostsOverlap(a: string, b: string): boolean {
  const wildA = a.startsWith('*')
  const wildB = b.startsWith('*')
  if (wildA && wildB) return a.slice(1).endsWith(b.slice(1)) || b.slice(1).endsWith(a.slice(1))
  if (wildA) return b.endsWith(a.slice(1))
  if (wildB) return a.endsWith(b.slice(1))
  return a === b
}

/** Whether every name of `inner` is one of `outer`; either may begin with `*`. */
export function hostWithin(inner: string, outer: string): boolean {
  if (!outer.startsWith('*')) return inner === outer
  return inner.startsWith('*') ? inner.slice(1).endsWith(outer.slice(1)) : inner.endsWith(outer.slice(1))
}

/** A short name belongs to the namespace of the object that uses it: `reviews` is `reviews.shop.svc.cluster.local`. Lower case. Of an empty suffix: `reviews.shop`. */
export function resolveHost(host: string, namespace: string, domainSuffix: string): string {
  const name = host.toLowerCase()
  if (name === '' || name.includes('.') || name.startsWith('*')) return name
  return domainSuffix === '' ? `${name}.${namespace}` : `${name}.${namespace}.svc.${domainSuffix}`
}

/** Most specific first: exact names before wildcards, longer before shorter. */
export function compareSpecificity(a: string, b: string): number {
  const wildcards = Number(a.startsWith('*')) - Number(b.startsWith('*'))
  return wildcards || b.length - a.length || (a < b ? -1 : a > b ? 1 : 0)
}
