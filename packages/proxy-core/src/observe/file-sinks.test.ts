import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import { createFileSinks } from './file-sinks.js'

it('a path is tried when it is asked for: what cannot be written to throws, and what can is one file for all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-sinks-'))
  try {
    const { sinkFor, flush } = createFileSinks({ clock: createFakeClock(), logger: silentLogger })
    expect(() => sinkFor(join(folder, 'none', 'a.log'))).toThrow('ENOENT')
    expect(() => sinkFor(folder)).toThrow('EISDIR')
    const path = join(folder, 'a.log')
    const sink = sinkFor(path)
    expect(sinkFor(path)).toBe(sink)
    expect(readFileSync(path, 'utf8')).toBe('')
    sink.write('a\n')
    await flush()
    expect(readFileSync(path, 'utf8')).toBe('a\n')
    expect(sinkFor('/dev/stdout')).not.toBe(sinkFor('/dev/stderr'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
