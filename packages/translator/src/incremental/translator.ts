import type { MeshSnapshot } from '@heddle/config-model'
import type { Watch } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'
import { type BuildScope, createBuild, type Sight, sightOf } from '../build.js'
import type { Memo } from '../memo.js'
import { identityOf } from '../memo.js'
import { type Part, partsOf } from '../parts.js'
import { DEFAULT_FEATURES } from '../pilot-features.js'
import { NO_ORIGINS } from '../provenance.js'
import type { ProxyDescriptor } from '../proxy.js'
import { secretNamesOf } from '../secrets/references.js'
import { secretsGroup } from '../secrets/secrets.js'
import { type ServiceTarget, serviceTargets } from '../service-targets.js'
import { located, type TranslateOptions } from '../translate.js'
import { CLUSTER_DOMAIN } from '../virtual-services.js'
import { type Cells, createCells, type Root } from './cells.js'
import { createLikes, type Hear, type Likes, type Subject } from './likes.js'
import { trackedProxy } from './tracked-proxy.js'
import { trackedSnapshot } from './tracked-snapshot.js'

export type TranslatorOptions = Omit<TranslateOptions, 'authenticated'>

/**
 * Translation that goes on: the same builders as {@link translate}, but a change builds only what has read it, and proxies that see the same hold the very
 * same groups. Where things came from is not kept: ask `translate` for one proxy when somebody wants to know.
 */
export interface Translator {
  /**
   * What the proxy gets, as it changes; the same set as long as nothing in it has changed. Followed from the first subscription, or reading, to the
   * last: end every subscription. `authenticated`: see {@link TranslateOptions}.
   */
  watch(proxy: ProxyDescriptor, options?: { readonly authenticated?: boolean }): Watch<ResourceSet>
  /** Takes the next snapshot up (or the same, when `jwks` has learnt a key), and tells the watches of proxies that get something else now. */
  update(snapshot: MeshSnapshot): void
  /** How often each part was built, by name. */
  readonly builds: ReadonlyMap<string, number>
}

export function createTranslator(snapshot: MeshSnapshot, options: TranslatorOptions = {}): Translator {
  const cells = createCells()
  let current = snapshot
  const world: World = {
    cells,
    snapshot: trackedSnapshot(cells, () => current),
    common: cells.scope(),
    domainSuffix: options.domainSuffix ?? CLUSTER_DOMAIN,
    features: options.features ?? DEFAULT_FEATURES,
    jwks: ({ jwksUri, issuer }) => cells.input(`jwks ${jwksUri} ${issuer}`, () => options.jwks?.({ jwksUri, issuer })),
  }
  const likes = createAllLikes(world)
  const followed = new Set<Followed>()
  return {
    builds: cells.builds,
    watch: (proxy, { authenticated = true } = {}) => follow(world, likes, followed, proxy, authenticated),
    update(next) {
      current = next
      cells.refresh()
      settle(followed)
      cells.sweep()
    },
  }
}

interface World extends Pick<BuildScope, 'snapshot' | 'common' | 'domainSuffix' | 'jwks' | 'features'> {
  readonly cells: Cells
}

interface AllLikes {
  readonly sights: Likes<Sight>
  part(part: Part): Likes<readonly ResourceGroup[]>
}

function createAllLikes(world: World): AllLikes {
  const { cells } = world
  const epoch = { current: 0 }
  const sights = createLikes<Sight>({
    cells,
    name: 'sight',
    epoch,
    make(subject, hear, memo) {
      const sight = sightOf(scopeOf(world, subject, hear, memo))
      return () => sight
    },
  })
  const parts = new Map<Part, Likes<readonly ResourceGroup[]>>()
  return {
    sights,
    part(part) {
      let likes = parts.get(part)
      if (likes === undefined) {
        const make = (subject: Subject, hear: Hear, memo: Memo): (() => readonly ResourceGroup[]) =>
          groupsOf(world, part, sights, { subject, hear, memo })
        parts.set(part, (likes = createLikes({ cells, name: `part ${part.name}`, epoch, make, same: sameObjects })))
      }
      return likes
    },
  }
}

interface Maker {
  readonly subject: Subject
  readonly hear: Hear
  readonly memo: Memo
}

function groupsOf(
  world: World,
  part: Part,
  sights: Likes<Sight>,
  { subject, hear, memo }: Maker,
): () => readonly ResourceGroup[] {
  const scope = scopeOf(world, subject, hear, memo)
  const build = createBuild(scope, () => {
    hear('sees', (s) => identityOf(sights.of(s)))
    return sights.of(subject)
  })
  const targets = (): readonly ServiceTarget[] => {
    hear('targets', (s) => targetsKey(s.targets))
    return subject.targets
  }
  return () => part.groups(build, targets)
}

function scopeOf(world: World, subject: Subject, hear: Hear, memo: Memo): BuildScope {
  const { snapshot, common, domainSuffix, jwks, features } = world
  const proxy = trackedProxy(subject.proxy, (question, answer, passing) => hear(question, (s) => answer(s.proxy), passing))
  return { snapshot, proxy, common, memo, found: memo, origins: NO_ORIGINS, domainSuffix, jwks, features, types: undefined }
}

/** Tells the targets of one subject from another's: other services are other targets. */
function targetsKey(targets: readonly ServiceTarget[]): string {
  return targets
    .map(({ service, port, targetPort, locality }) => `${identityOf(service)} ${identityOf(port)} ${targetPort} ${locality}`)
    .join()
}

/** A proxy that somebody looks at. */
interface Followed {
  readonly root: Root<ResourceSet>
  last: ResourceSet | undefined
  readonly subscribers: Set<(set: ResourceSet) => void>
}

function follow(
  world: World,
  likes: AllLikes,
  followed: Set<Followed>,
  proxy: ProxyDescriptor,
  authenticated: boolean,
): Watch<ResourceSet> {
  const { root } = setOf(world, likes, proxy, authenticated)
  const one: Followed = { root, last: undefined, subscribers: new Set() }
  return {
    get current() {
      const set = root.get()
      if (followed.has(one)) one.last = set
      return set
    },
    subscribe(changed) {
      root.hold(true)
      one.last ??= root.get()
      const own = (set: ResourceSet): void => changed(set)
      one.subscribers.add(own)
      followed.add(one)
      return () => {
        one.subscribers.delete(own)
        if (one.subscribers.size > 0) return
        followed.delete(one)
        one.last = undefined
        root.hold(false)
      }
    },
  }
}

function setOf(world: World, likes: AllLikes, proxy: ProxyDescriptor, authenticated: boolean): { root: Root<ResourceSet> } {
  const { cells, snapshot, common } = world
  const memo = cells.scope()
  const parts = partsOf(proxy).map(likes.part)
  const placed = cells.root<Subject>({
    name: 'subject',
    make() {
      const targets = serviceTargets(snapshot, proxy, common)
      return { proxy: located(proxy, targets), targets }
    },
  })
  const secretsOf = (groups: readonly ResourceGroup[]): readonly ResourceGroup[] =>
    memo.of('secrets', groups, () => {
      const subject = placed.get()
      const scope = scopeOf(world, subject, (_question, answer) => answer(subject), memo)
      const { group } = secretsGroup(
        createBuild(scope, () => likes.sights.of(subject)),
        groups,
      )
      return group.resources.size === 0 ? [] : [group]
    })
  return {
    root: cells.root({
      name: 'set',
      make() {
        const subject = placed.get()
        // The sight is kept as long as a proxy has it.
        likes.sights.of(subject)
        const groups = parts.flatMap((part) => part.of(subject))
        const asks = authenticated && groups.some((group) => secretNamesOf(group).length > 0)
        return { groups: asks ? [...groups, ...secretsOf(groups)] : groups }
      },
      same: (a: ResourceSet, b: ResourceSet) => sameObjects(a.groups, b.groups),
    }),
  }
}

/** Groups are cells themselves: an equal one is the same. */
function sameObjects(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}

/** A question that comes up for one proxy may part others that were looked at before: so until nothing moves. */
function settle(followed: ReadonlySet<Followed>): void {
  const changed = new Map<Followed, ResourceSet>()
  for (let moved = true; moved; ) {
    moved = false
    for (const one of followed) {
      const set = one.root.get()
      if (set === (changed.get(one) ?? one.last)) continue
      changed.set(one, set)
      moved = true
    }
  }
  for (const [one, set] of changed) {
    if (set === one.last) continue
    one.last = set
    for (const subscriber of [...one.subscribers]) subscriber(set)
  }
}
