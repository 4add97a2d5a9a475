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

// Hosts and their wildcards, as Istio compares them (istio/pkg/config/host). They are lower case.

const STAR = 42

export function isWildcard(host: string): boolean {
  return host.charCodeAt(0) === STAR
}

/** Whether the two have a name in common: `*.a.b` and `x.a.b`, `*.b` and `*.a.b`, or equal names. */
export function hostsOverlap(one: string, other: string): boolean {
  const oneWild = isWildcard(one)
  const otherWild = isWildcard(other)
  if (oneWild && otherWild) {
    const [a, b] = [one.slice(1), other.slice(1)]
    return a.length < b.length ? b.endsWith(a) : a.endsWith(b)
  }
  if (oneWild) return other.endsWith(one.slice(1))
  if (otherWild) return one.endsWith(other.slice(1))
  return one === other
}

/** Whether every name of `specific` is also one of `general`. */
export function hostSubsetOf(specific: string, general: string): boolean {
  if (isWildcard(specific) && !isWildcard(general)) return false
  if (!isWildcard(general)) return specific === general
  const suffix = general.slice(1)
  const name = isWildcard(specific) ? specific.slice(1) : specific
  return name.length >= suffix.length && name.endsWith(suffix)
}

/** A short name belongs to the namespace of the object that uses it: `reviews` is `reviews.shop.svc.cluster.local`. Lower case. Of an empty suffix: `reviews.shop`. */
export function resolveHost(host: string, namespace: string, domainSuffix: string): string {
  const name = host.toLowerCase()
  if (name === '' || name.includes('.') || name.startsWith('*')) return name
  return domainSuffix === '' ? `${name}.${namespace}` : `${name}.${namespace}.svc.${domainSuffix}`
}

/** Most specific first: exact names before wildcards, longer before shorter, `*` last. */
export function bySpecificity(a: string, b: string): number {
  const aWild = isWildcard(a)
  const bWild = isWildcard(b)
  if (aWild !== bWild) return aWild ? 1 : -1
  if (a.length !== b.length) return b.length - a.length
  return a < b ? -1 : a > b ? 1 : 0
}
