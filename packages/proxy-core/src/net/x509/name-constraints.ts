import { childrenOf, DerError, onlyDer, readDer, TAG } from './der.js'
import { type GeneralName, readGeneralName } from './general-names.js'

/** RFC 5280 §4.2.1.10. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** Comparing is quadratic: what a real CA never needs is refused. */
const MOST_COMPARISONS = 65_536

/** Throws {@link DerError} for constraints that cannot be read, or that nobody may write. */
export function readNameConstraints(der: Uint8Array): NameConstraints {
  const found: { permitted: GeneralName[]; excluded: GeneralName[] } = { permitted: [], excluded: [] }
  for (const part of childrenOf(der, onlyDer(der, TAG.sequence))) {
    const into = part.tag === 0xa0 ? found.permitted : part.tag === 0xa1 ? found.excluded : undefined
    if (into === undefined) throw new DerError('name constraints are malformed')
    for (const subtree of childrenOf(der, part)) into.push(readGeneralName(der, readDer(der, subtree.start, subtree.end)))
  }
  const all = [...found.permitted, ...found.excluded]
  if (all.length === 0) throw new DerError('name constraints are empty')
  for (const constraint of all) if (!isConstraint(constraint)) throw new DerError('a name constraint is malformed')
  return found
}

function isConstraint(name: GeneralName): boolean {
  switch (name.kind) {
    case 'dns':
      return name.value === '' || /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(name.value)
    case 'email':
      return name.value.split('@').length <= 2
    case 'ip':
      return name.value.length === 8 || name.value.length === 32
    default:
      return true
  }
}

/** Why names are outside of the constraints; undefined when they are inside. */
export function constraintProblem({ permitted, excluded }: NameConstraints, names: readonly GeneralName[]): string | undefined {
  if ((permitted.length + excluded.length) * names.length > MOST_COMPARISONS)
    return 'more name constraints and names than anybody needs'
  for (const name of names) {
    const shown = 'value' in name && typeof name.value === 'string' ? name.value : name.kind
    const mayBe = permitted.filter((each) => isSameKind(each, name))
    if (mayBe.length > 0 && !mayBe.some((each) => isWithin(name, each))) return `${shown} is outside of the permitted names`
    if (excluded.some((each) => isSameKind(each, name) && (isWithin(name, each) || mayReach(name, each))))
      return `${shown} is excluded`
  }
  return undefined
}

function isSameKind(constraint: GeneralName, name: GeneralName): boolean {
  return constraint.kind === name.kind && (constraint.kind !== 'other' || name.kind !== 'other' || constraint.tag === name.tag)
}

/** What cannot be compared is not within what is permitted, and is within what is excluded. */
function isWithin(name: GeneralName, constraint: GeneralName): boolean {
  if (name.kind === 'dns' && constraint.kind === 'dns') return dnsIsWithin(name.value.replace(/^\*\./, ''), constraint.value)
  if (name.kind === 'email' && constraint.kind === 'email') return emailIsWithin(name.value, constraint.value)
  if (name.kind === 'ip' && constraint.kind === 'ip') return ipIsWithin(name.value, constraint.value)
  if (name.kind === 'uri' && constraint.kind === 'uri') return hostIsWithin(uriHost(name.value), constraint.value)
  if (name.kind === 'directory' && constraint.kind === 'directory')
    return constraint.value.every((rdn, i) => name.value[i] === rdn)
  return name.kind === 'other'
}

/** CVE-2025-61727: a wildcard stands for names that are excluded. */
function mayReach(name: GeneralName, constraint: GeneralName): boolean {
  if (name.kind !== 'dns' || constraint.kind !== 'dns' || !name.value.startsWith('*.')) return false
  return constraint.value.toLowerCase().endsWith(name.value.slice(1).toLowerCase())
}

function dnsIsWithin(name: string, constraint: string): boolean {
  const [lower, wanted] = [name.toLowerCase(), constraint.toLowerCase()]
  return wanted === '' || lower === wanted || lower.endsWith(`.${wanted}`)
}

function emailIsWithin(email: string, constraint: string): boolean {
  const [local = '', host = ''] = email.split('@')
  const [wantedLocal = '', wantedHost] = constraint.split('@')
  if (wantedHost === undefined) return hostIsWithin(host, constraint)
  return local === wantedLocal && host.toLowerCase() === wantedHost.toLowerCase()
}

/** With a dot before it the constraint means every host below, without one this host. */
function hostIsWithin(host: string, constraint: string): boolean {
  const [lower, wanted] = [host.toLowerCase(), constraint.toLowerCase()]
  return wanted.startsWith('.') ? lower.endsWith(wanted) : lower === wanted
}

function uriHost(uri: string): string {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)/.exec(uri)?.[1] ?? ''
}

function ipIsWithin(ip: Uint8Array, constraint: Uint8Array): boolean {
  if (constraint.length !== 2 * ip.length) return false
  return ip.every((byte, i) => (byte & constraint[ip.length + i]!) === (constraint[i]! & constraint[ip.length + i]!))
}
