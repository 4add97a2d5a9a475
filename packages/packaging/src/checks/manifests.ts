import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest, PublicPackage } from '../packages.js'

const PRIVATE = '@heddle/source'

/** An `exports` entry without the private condition; undefined where it has no other: helpers of tests, shared in the repository alone. */
function shipped(target: unknown): unknown {
  if (typeof target !== 'object' || target === null) return target
  const conditions = Object.entries(target).filter(([condition]) => condition !== PRIVATE)
  return conditions.length === 0 ? undefined : Object.fromEntries(conditions)
}

/** What is wrong with a package.json in the repository; `contents.ts` judges the one that ships. */
export function manifestFaults({ exports, publishConfig, files, license, engines }: Manifest): readonly string[] {
  const published = publishConfig?.exports ?? {}
  const paths = [...new Set([...Object.keys(exports ?? {}), ...Object.keys(published)])]
  const differ = paths.filter((path) => JSON.stringify(shipped(exports?.[path])) !== JSON.stringify(published[path]))
  return [
    ...differ.map((path) => `exports["${path}"] and publishConfig.exports["${path}"] must differ in ${PRIVATE} only`),
    ...(JSON.stringify(publishConfig ?? {}).includes(PRIVATE) ? [`publishConfig has ${PRIVATE}, which is private`] : []),
    ...(publishConfig?.access === 'public' ? [] : ['publishConfig.access is not public']),
    ...((files as readonly string[] | undefined)?.includes('NOTICE') ? [] : ['files does not have NOTICE']),
    ...(license === 'Apache-2.0' ? [] : ['license is not Apache-2.0']),
    ...(engines === undefined ? ['engines is missing'] : []),
  ]
}

/** A package of the repository: its package.json, its build and its notice. */
export function packageFaults(root: string, { folder, manifest }: PublicPackage): readonly string[] {
  const notice = join(folder, 'NOTICE')
  const same = existsSync(notice) && readFileSync(notice, 'utf8') === readFileSync(join(root, 'NOTICE'), 'utf8')
  return [...manifestFaults(manifest), ...(same ? [] : ['NOTICE is not that of the repository'])]
}
