import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach } from 'vitest'
import { createKnownMisses, type KnownMissLists } from './known-misses.js'
import { main } from './main.js'
import { suites } from './suites/index.js'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

/** A folder with these files, gone after the test; names in `.gz` are packed. */
export function folderOf(files: Readonly<Record<string, unknown>>): string {
  const root = mkdtempSync(join(tmpdir(), 'conformance-'))
  made.push(root)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(join(root, name), name.endsWith('.gz') ? gzipSync(text) : text)
  }
  return root
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The command in this process. */
export async function run(
  args: readonly string[],
  { env = {}, known = {} }: { env?: Record<string, string>; known?: KnownMissLists } = {},
): Promise<Ran> {
  let out = ''
  let err = ''
  const code = await main(args, suites, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    knownMisses: () => createKnownMisses(known),
  })
  return { code, out, err }
}
