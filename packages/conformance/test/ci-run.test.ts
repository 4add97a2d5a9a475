import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const SCRIPT = resolve(import.meta.dirname, '../../../.ci/run')
const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

/** `.ci/run` in a clone where every command is this shell script; `$*` is how it was called. */
function ciRun(command: string, options: { data: boolean; args?: readonly string[] }): { code: number | null; out: string } {
  const root = mkdtempSync(join(tmpdir(), 'heddle-ci-'))
  made.push(root)
  for (const folder of ['clone/.ci', 'clone/packages/bench/scripts', 'bin']) mkdirSync(join(root, folder), { recursive: true })
  if (options.data) for (const folder of ['conformance', 'corpora']) mkdirSync(join(root, 'shared', folder), { recursive: true })
  cpSync(SCRIPT, join(root, 'clone/.ci/run'))
  writeFileSync(join(root, 'clone/packages/bench/scripts/install-peers.sh'), 'true\n')
  writeFileSync(join(root, 'bin/npx'), `#!/bin/sh\n${command}\n`)
  chmodSync(join(root, 'bin/npx'), 0o755)
  const { HEDDLE_CONFORMANCE: _, HEDDLE_SOAK: _soak, ...env } = process.env
  const { status, stdout } = spawnSync('bash', [join(root, 'clone/.ci/run'), ...(options.args ?? [])], {
    encoding: 'utf8',
    env: { ...env, PATH: `${join(root, 'bin')}:${process.env['PATH']}`, HEDDLE_CI_LOGS: join(root, 'logs') },
  })
  return { code: status, out: stdout }
}

test('fails where the conformance data is missing, before it does anything', () => {
  expect(ciRun('exit 0', { data: false })).toEqual({ code: 1, out: '0 passed, 1 failed\n' })
})

test('adds up the counts of every runner; a command without counts is one', () => {
  const { code, out } = ciRun('case "$*" in *test*|*conformance*) echo "10 passed, 0 failed";; esac', { data: true })
  const steps = [...out.matchAll(/^ {3}(\S+): (\d+) passed, 0 failed/gm)]
  const sum = steps.reduce((total, [, , count]) => total + Number(count), 0)
  expect(steps.map(([, name]) => name)).toEqual(
    expect.arrayContaining([
      'lint',
      'boundaries',
      'packaging',
      'unit',
      'sockets',
      'demo',
      'conformance',
      'packages',
      'unit-node-26',
      'sockets-node-26',
    ]),
  )
  expect(sum).toBeGreaterThan(50)
  expect(out.trimEnd().split('\n').at(-1)).toBe(`${sum} passed, 0 failed`)
  expect(code).toBe(0)
})

test('--soak: all tests once at length, then twenty rounds as usual', () => {
  const command = 'case "$*" in *test*) [ "$HEDDLE_SOAK" = 1 ] && echo "7 passed, 0 failed" || echo "3 passed, 0 failed";; esac'
  const { code, out } = ciRun(command, { data: true, args: ['--soak'] })
  for (const [name, count] of Object.entries({
    'unit-isolated': 7,
    'properties-soak': 7,
    'sockets-soak': 7,
    'sockets-1': 3,
    'sockets-20': 3,
  }))
    expect(out).toContain(`   ${name}: ${count} passed, 0 failed`)
  expect(out.trimEnd().split('\n').at(-1)).toMatch(/^\d+ passed, 0 failed$/)
  expect(code).toBe(0)
})

test.each([
  ['a failure', 'case "$*" in *"project unit") echo "9 passed, 1 failed"; exit 1;; esac', 'unit: 9 passed, 1 failed'],
  ['an end without a count', 'case "$*" in *lint) exit 1;; esac', 'lint: 0 passed, 1 failed'],
  [
    'a crash after a good count',
    'case "$*" in *sockets) echo "9 passed, 0 failed"; exit 3;; esac',
    'sockets: 9 passed, 1 failed',
  ],
  [
    'a runner that ran nothing',
    'case "$*" in *conformance*) echo "0 passed, 0 failed";; esac',
    'conformance: 0 passed, 1 failed',
  ],
])('fails for %s', (_, command, line) => {
  const { code, out } = ciRun(command, { data: true })
  expect(out).toContain(`   ${line}`)
  expect(out).toMatch(/, 1 failed\n$/)
  expect(code).toBe(1)
})
