import type { Domains } from './domains.js'

/** Who wants a virtual host. */
export interface Claimant {
  /** Of the virtual host; the first claimant of a name has it. */
  readonly name: string
  /** '' for a name that is no service. */
  readonly hostname: string
  readonly domains: Domains
}

/** What a claimant got. */
export interface Place<C extends Claimant> {
  readonly claimant: C
  /** Those of its domains that nobody before it has. */
  readonly domains: readonly string[]
}

/** Places of a list of claimants, without those that get none, sorted by name. */
export type Placing = <C extends Claimant>(claimants: readonly C[]) => readonly Place<C>[]

interface Settled {
  readonly claimants: readonly Claimant[]
  readonly places: readonly { readonly index: number; readonly domains: readonly string[] }[]
}

/** Who gets what is settled again only when a name has changed: most changes are of routes. */
export function createPlacing(): Placing {
  let last: Settled | undefined
  return (claimants) => {
    if (last === undefined || !claimAlike(last.claimants, claimants)) last = { claimants, places: settle(claimants) }
    return last.places.flatMap(({ index, domains }) => {
      const claimant = claimants[index]
      return claimant === undefined ? [] : [{ claimant, domains }]
    })
  }
}

function claimAlike(before: readonly Claimant[], now: readonly Claimant[]): boolean {
  if (before.length !== now.length) return false
  for (let i = 0; i < now.length; i++) {
    const [a, b] = [before[i] as Claimant, now[i] as Claimant]
    if (a.domains !== b.domains || a.name !== b.name || a.hostname !== b.hostname) return false
  }
  return true
}

function settle(claimants: readonly Claimant[]): Settled['places'] {
  const known = new Set<string>()
  for (const { hostname, name } of claimants) if (hostname !== '') known.add(hostname).add(name)
  const taken = { names: new Set<string>(), domains: new Set<string>(), known }
  const places: { index: number; name: string; domains: readonly string[] }[] = []
  for (const [index, { name, domains }] of claimants.entries()) {
    if (taken.names.has(name)) continue
    taken.names.add(name)
    const free = freeOf(domains, taken)
    if (free.length > 0) places.push({ index, name, domains: free })
  }
  return places.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function freeOf(
  { names, keys, short }: Domains,
  taken: { readonly domains: Set<string>; readonly known: ReadonlySet<string> },
): readonly string[] {
  const free: string[] = []
  for (let i = 0; i < names.length; i++) {
    const [name, key] = [names[i] as string, keys[i] as string]
    if (taken.domains.has(key) || (short[i] === true && taken.known.has(name))) continue
    taken.domains.add(key)
    free.push(name)
  }
  return free
}
