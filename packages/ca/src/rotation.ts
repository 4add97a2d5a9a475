import { type Clock, createWatch, type Watch, type WatchSource } from '@heddle/runtime'
import { CaError, type ReplaceableAuthority } from './authority.js'
import type { Signer } from './certificate.js'

/**
 * `stable`: one CA. `trust-both`: the old one signs, and both are trusted. `sign-new`: the new one signs, and both are trusted.
 * Dropping the old one leads back to `stable`.
 */
export type RotationPhase = 'stable' | 'trust-both' | 'sign-new'

/** A CA to change to: who signs, and the roots that its chain ends in, PEM. */
export interface NextAuthority {
  readonly signer: Signer
  readonly trustBundle: readonly string[]
}

/**
 * Changes the root of an authority that serves, without one failed handshake: each phase may start when what the last one sent out has
 * arrived everywhere.
 */
export interface RootRotation {
  readonly phase: Watch<RotationPhase>
  /** Phase 1: workloads learn the new roots beside the old ones; nothing is signed by them yet. */
  trustBoth(next: NextAuthority): void
  /** Phase 2: new certificates come from the new CA. Workloads change to it as they renew. */
  signNew(): void
  /**
   * Phase 3: the old roots leave the bundle. Refused while certificates that the old CA signed may be in use, unless forced.
   * @throws CaError `ca.rotation`
   */
  dropOld(options?: { readonly force?: boolean }): void
  /** Back to the old CA alone, from phase 1 or 2. From phase 2 on what the new CA signed is no longer trusted. */
  abort(): void
}

export interface RootRotationOptions {
  readonly authority: ReplaceableAuthority
  readonly clock: Clock
}

interface Change {
  readonly next: NextAuthority
  readonly old: NextAuthority
  /** Until when certificates of the old CA are valid. Milliseconds since the epoch. */
  readonly oldUntil: number
}

export function createRootRotation({ authority, clock }: RootRotationOptions): RootRotation {
  const phase: WatchSource<RotationPhase> = createWatch<RotationPhase>('stable')
  let change: Change | undefined
  const expect = (wanted: readonly RotationPhase[], step: string): Change => {
    if (change === undefined || !wanted.includes(phase.current))
      throw new CaError('ca.rotation', `${step} comes after ${wanted.join(' or ')}; the rotation is at ${phase.current}`)
    return change
  }
  return {
    phase,
    trustBoth(next) {
      if (change !== undefined)
        throw new CaError('ca.rotation', `a rotation is under way, at ${phase.current}: end it, or abort it`)
      if (next.trustBundle.length === 0) throw new CaError('ca.rotation', 'the new CA comes without roots')
      const old = { signer: authority.signer.current, trustBundle: authority.trustBundle.current }
      change = { next, old, oldUntil: 0 }
      authority.replace({ trustBundle: union(old.trustBundle, next.trustBundle) })
      phase.set('trust-both')
    },
    signNew() {
      const current = expect(['trust-both'], 'signing with the new CA')
      change = { ...current, oldUntil: authority.issuedUntil }
      authority.replace({ signer: current.next.signer })
      phase.set('sign-new')
    },
    dropOld({ force = false } = {}) {
      const { next, oldUntil } = expect(['sign-new'], 'dropping the old root')
      if (!force && oldUntil > clock.now())
        throw new CaError(
          'ca.rotation',
          `certificates of the old CA are valid until ${new Date(oldUntil).toISOString()}; wait, or force it when all workloads have renewed`,
        )
      authority.replace({ trustBundle: next.trustBundle })
      change = undefined
      phase.set('stable')
    },
    abort() {
      const { old } = expect(['trust-both', 'sign-new'], 'going back')
      authority.replace(old)
      change = undefined
      phase.set('stable')
    },
  }
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])]
}
