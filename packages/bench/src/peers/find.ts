import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A program of this machine. */
export interface Program {
  readonly path: string
  readonly version: string
}

/** Debian keeps servers out of a user's PATH. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin']

export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const all = [...folders, ...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS]
  return all.map((folder) => join(folder, name)).find(isExecutable)
}

/** Looked up each time it is asked for; the version is what the program prints of itself. */
export function findNginx(): Program | undefined {
  return withVersion(findProgram('nginx'), ['-v'], /nginx\/([\d.]+)/)
}

export function findHaproxy(): Program | undefined {
  return withVersion(findProgram('haproxy'), ['-v'], /version ([\d.]+)/i)
}

export function findWrk(): Program | undefined {
  return withVersion(findProgram('wrk'), ['-v'], /^wrk (?:debian\/)?([\d.]+)/)
}

export function findH2load(): Program | undefined {
  return withVersion(findProgram('h2load'), ['--version'], /nghttp2\/([\d.]+)/)
}

/** Where packages/interop/scripts/install.sh puts it, else on PATH. */
export function findEnvoy(): Program | undefined {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const tools = process.env['HEDDLE_INTEROP_TOOLS'] ?? join(cache, 'heddle/interop')
  return withVersion(findProgram('envoy', [tools]), ['--version'], /version: \S*?\/([\d.]+)\//)
}

/** The version of an npm package that this one depends on. */
export function packageVersion(name: string): string {
  const file = join(import.meta.dirname, '../../node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

export function missingProgram(name: string): string {
  return `${name} is missing: run packages/bench/scripts/install-peers.sh`
}

function withVersion(path: string | undefined, args: readonly string[], pattern: RegExp): Program | undefined {
  if (path === undefined) return undefined
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' })
  const version = pattern.exec(`${stdout}${stderr}`)?.[1]
  return version === undefined ? undefined : { path, version }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
