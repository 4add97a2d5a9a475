import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')
const LINES = 91
const rows = readFileSync(join(folder, 'PROTOCOL.md'), 'utf8')
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()))
  .filter(([, line = '']) => /^\d+$/.test(line))

test('every line of the protocol stands in PROTOCOL.md, once and in order', () => {
  expect(rows.map(([, line]) => Number(line))).toEqual(Array.from({ length: LINES }, (_, i) => i + 1))
})

test.each(rows.map(([, line = '', what = '', tests = '']) => [line, what, tests] as const))(
  'line %s is tested, or a reason is given: %s',
  (_, what, tests) => {
    const named = [...tests.matchAll(/`([^`]+)` “([^”]+)”/g)]
    expect(named.length > 0 || what.includes('reason:')).toBe(true)
    for (const [, file = '', words = ''] of named) {
      expect(existsSync(join(folder, file)), file).toBe(true)
      expect(readFileSync(join(folder, file), 'utf8'), file).toContain(words)
    }
  },
)
