import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'

// Where packages/interop/scripts/install.sh puts it. HEDDLE_INTEROP=1 makes its absence a failure.
const tools =
  process.env['HEDDLE_INTEROP_TOOLS'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'heddle/interop')
const envoy = path.join(tools, 'envoy')
const isThere = spawnSync(envoy, ['--version']).status === 0

/** False: tests with Envoy are skipped. */
export const tryEnvoy: boolean = isThere || process.env['HEDDLE_INTEROP'] !== undefined
if (!tryEnvoy) console.log('skipped: no stock Envoy; packages/interop/scripts/install.sh brings it')

/** What `--mode validate` has against a bootstrap; undefined: nothing. */
export function envoySays(bootstrap: object): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-rules-'))
  try {
    const file = path.join(folder, 'bootstrap.json')
    writeFileSync(file, JSON.stringify(bootstrap))
    const { status, stderr, error } = spawnSync(envoy, ['--mode', 'validate', '-c', file, '-l', 'error'], { encoding: 'utf8' })
    if (error !== undefined) throw error
    return status === 0 ? undefined : stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
