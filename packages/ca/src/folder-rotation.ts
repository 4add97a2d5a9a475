import { X509Certificate } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '@heddle/runtime'
import { CaError } from './authority.js'
import { CA_FILES, createCaFolder, readIfThere, readPluggedInFolder, replaceCaFile } from './ca-folder.js'
import { DEFAULT_TTL_MS } from './grants.js'
import { splitCertificates } from './pem.js'
import { openPluggedIn, type PluggedInFiles } from './plugged-in.js'
import type { RotationPhase } from './rotation.js'

/** What a folder remembers of a rotation: `rotation.json`, beside `next/` in phase 1 and `old/` in phase 2. */
interface Record {
  readonly phase: Exclude<RotationPhase, 'stable'>
  /** Roots that go, PEM. */
  readonly oldRoots: readonly string[]
  /** Of phase 2: until when certificates of the old CA may be in use. Milliseconds since the epoch. */
  readonly oldUntil?: number
}

/**
 * Changes the root of a CA folder in the phases of `createRootRotation`. Whoever follows the folder (`watchPluggedIn`, istiod) takes each
 * phase as it comes. A step that was cut short is done again by calling it again.
 */
export interface FolderRotation {
  phase(): Promise<RotationPhase>
  /** @param next the new CA. */
  trustBoth(next: PluggedInFiles): Promise<void>
  signNew(): Promise<void>
  dropOld(options?: { readonly force?: boolean }): Promise<void>
  abort(): Promise<void>
}

export interface FolderRotationOptions {
  readonly folder: string
  readonly clock: Clock
  /** How long certificates of this CA live at most: so long the old root stays. Default 24 h, the lifetime that nobody asked for. */
  readonly leafTtlMs?: number
}

const RECORD = 'rotation.json'

export function createFolderRotation({ folder, clock, leafTtlMs = DEFAULT_TTL_MS }: FolderRotationOptions): FolderRotation {
  const [nextFolder, oldFolder] = [path.join(folder, 'next'), path.join(folder, 'old')]
  const recorded = async (): Promise<Record | undefined> => {
    const text = await readIfThere(path.join(folder, RECORD))
    return text === undefined ? undefined : (JSON.parse(text) as Record)
  }
  const record = (state: Record): Promise<void> => replaceCaFile(folder, RECORD, `${JSON.stringify(state, undefined, 2)}\n`)
  const at = async (phases: readonly RotationPhase[], step: string): Promise<Record> => {
    const state = await recorded()
    if (state === undefined || !phases.includes(state.phase))
      throw new CaError('ca.rotation', `${step} comes after ${phases.join(' or ')}; ${folder} is at ${state?.phase ?? 'stable'}`)
    return state
  }
  const finish = async (roots: readonly string[]): Promise<void> => {
    await replaceCaFile(folder, CA_FILES.rootCert, roots.join(''))
    for (const left of [RECORD, 'next', 'old']) await rm(path.join(folder, left), { recursive: true, force: true })
  }
  const install = async ({ caKey, caCert, certChain }: PluggedInFiles): Promise<void> => {
    await replaceCaFile(folder, CA_FILES.caKey, caKey)
    await replaceCaFile(folder, CA_FILES.certChain, certChain)
    await replaceCaFile(folder, CA_FILES.caCert, caCert)
  }
  return {
    phase: async () => (await recorded())?.phase ?? 'stable',
    async trustBoth(next) {
      const state = await recorded()
      if (state !== undefined)
        throw new CaError('ca.rotation', `a rotation of ${folder} is under way, at ${state.phase}: end it, or abort it`)
      const current = await readPluggedInFolder(folder)
      await check(current, clock)
      await check(next, clock)
      if (!(await createCaFolder(nextFolder, next))) throw new CaError('ca.rotation', `${nextFolder} is in the way`)
      const [roots, nextRoots] = [splitCertificates(current.rootCert), splitCertificates(next.rootCert)]
      const oldRoots = roots.filter((root) => isRootOf(root, current) && !nextRoots.includes(root))
      await replaceCaFile(folder, CA_FILES.rootCert, [...new Set([...roots, ...nextRoots])].join(''))
      await record({ phase: 'trust-both', oldRoots })
    },
    async signNew() {
      const { oldRoots } = await at(['trust-both'], 'signing with the new CA')
      const next = await readPluggedInFolder(nextFolder)
      await createCaFolder(oldFolder, await readPluggedInFolder(folder))
      await install(next)
      await record({ phase: 'sign-new', oldRoots, oldUntil: clock.now() + leafTtlMs })
      await rm(nextFolder, { recursive: true, force: true })
    },
    async dropOld({ force = false } = {}) {
      const { oldRoots, oldUntil = 0 } = await at(['sign-new'], 'dropping the old root')
      if (!force && oldUntil > clock.now())
        throw new CaError(
          'ca.rotation',
          `certificates of the old CA may be valid until ${new Date(oldUntil).toISOString()}; wait, or force it when all workloads have renewed`,
        )
      const { rootCert } = await readPluggedInFolder(folder)
      await finish(splitCertificates(rootCert).filter((root) => !oldRoots.includes(root)))
    },
    async abort() {
      const { phase } = await at(['trust-both', 'sign-new'], 'going back')
      const current = await readPluggedInFolder(folder)
      const abandoned = phase === 'trust-both' ? await readPluggedInFolder(nextFolder) : current
      const old = phase === 'trust-both' ? current : await readPluggedInFolder(oldFolder)
      if (phase === 'sign-new') await install(old)
      const gone = splitCertificates(current.rootCert).filter((root) => isRootOf(root, abandoned) && !isRootOf(root, old))
      await finish(splitCertificates(current.rootCert).filter((root) => !gone.includes(root)))
    },
  }
}

async function check(files: PluggedInFiles, clock: Clock): Promise<void> {
  const opened = await openPluggedIn(files, clock.now())
  if (!opened.ok) throw new CaError('ca.plugged_in', opened.diagnostics.map((one) => `${one.path}: ${one.message}`).join('; '))
}

/** Whether the chain of these files ends in this root; other roots of a folder are those of other clusters, and stay. */
function isRootOf(root: string, { caCert, certChain }: PluggedInFiles): boolean {
  const anchor = new X509Certificate(root)
  return [...splitCertificates(caCert), ...splitCertificates(certChain)].some((pem) => {
    const certificate = new X509Certificate(pem)
    return certificate.raw.equals(anchor.raw) || (certificate.checkIssued(anchor) && certificate.verify(anchor.publicKey))
  })
}
