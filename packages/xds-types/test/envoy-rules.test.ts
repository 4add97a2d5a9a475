import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bootstrap } from '../src/gen/envoy/config/bootstrap/v3.js'
import { knownTypes } from '../src/known.js'
import { changed, HARMLESS, POISONS, soundBootstrap } from './poisoned.js'

// Stock Envoy, where packages/interop/scripts/install.sh puts it. HEDDLE_INTEROP=1 makes its absence a failure.
const tools =
  process.env['HEDDLE_INTEROP_TOOLS'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'heddle/interop')
const envoy = path.join(tools, 'envoy')
const isThere = spawnSync(envoy, ['--version']).status === 0
const isNeeded = process.env['HEDDLE_INTEROP'] !== undefined
if (!isThere && !isNeeded) console.log('skipped: no stock Envoy; packages/interop/scripts/install.sh brings it')

const oursSays = (bootstrap: object): readonly string[] => {
  const read = Bootstrap.fromJson(bootstrap, knownTypes)
  return [...read.diagnostics, ...(read.ok ? Bootstrap.validate(read.value, knownTypes) : [])].map(
    ({ path: at, message }) => `${at}: ${message}`,
  )
}

/** The innermost of Envoy's reasons. It names a pattern where we say what the text is to be. */
function reasonOf(message: string): string {
  const reason = /(?:reason|Error\.[^:]*): ([^|]*?)\)\s*$/.exec(message.trim())?.[1] ?? message
  return reason.includes('regex pattern') ? 'is not a header' : reason
}

describe.skipIf(!isThere && !isNeeded)('Envoy in --mode validate and our rules', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'heddle-rules-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const envoySays = (bootstrap: object): string | undefined => {
    const file = path.join(folder, 'bootstrap.json')
    writeFileSync(file, JSON.stringify(bootstrap))
    const { status, stderr, error } = spawnSync(envoy, ['--mode', 'validate', '-c', file, '-l', 'error'], { encoding: 'utf8' })
    if (error !== undefined) throw error
    return status === 0 ? undefined : stderr
  }

  it('accept the same bootstrap', () => {
    expect([envoySays(soundBootstrap()), oursSays(soundBootstrap())]).toEqual([undefined, []])
  })

  it.each(
    POISONS.map(([at, value]) => [at.replace(/^static_resources\.|\.typed_config/g, ''), JSON.stringify(value), at, value]),
  )('refuse %s = %s', (_, __, at, value) => {
    const theirs = envoySays(changed(at as string, value))
    expect(theirs ?? 'nothing', 'Envoy').toContain('Proto constraint validation failed')
    const field = (at as string).split('.').filter((step) => !/^\d+$/.test(step))
    const ours = oursSays(changed(at as string, value))
    expect(ours).toEqual([expect.stringContaining(field.at(-2) as string)])
    expect(ours[0]).toContain(reasonOf(theirs ?? ''))
  })

  it.each(HARMLESS)('accept %s = %j', (at, value) => {
    expect([envoySays(changed(at, value)), oursSays(changed(at, value))]).toEqual([undefined, []])
  })
})
