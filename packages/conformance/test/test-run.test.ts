import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
})

/** What a run of one test file says, under the setup files and the reporter of the repository. */
function runTests(text: string, { complete = false, soak = false, retry = 0 } = {}): { code: number | null; said: string } {
  const root = mkdtempSync(join(tmpdir(), 'heddle-test-run-'))
  made.push(root)
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  const own = join(ROOT, 'packages/conformance/src/test-run')
  writeFileSync(join(root, 'a.test.mjs'), `import { test } from 'vitest'\n${text}`)
  writeFileSync(
    join(root, 'vitest.config.ts'),
    `import { closingReporter } from '${own}/reporter.ts'
export default { test: { include: ['*.test.mjs'], retry: ${retry}, setupFiles: ['${own}/handles.ts', '${own}/no-sockets.ts'],
  reporters: ['default', closingReporter({ complete: ${complete}, filtered: false, soak: ${soak} })] } }\n`,
  )
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/vitest'), ['run'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { code: status, said: `${stdout}${stderr}` }
}

test('tests that close what they open pass', () => {
  const { code, said } = runTests(
    "test('a', async () => { const t = setInterval(() => {}, 9); await new Promise((done) => setTimeout(done, 9)); clearInterval(t) })\ntest.skip('b', () => {})\n",
  )
  expect(said).toContain('1 passed, 0 failed')
  expect(code).toBe(0)
})

test.each([
  ['a timer that runs on', "test('a', () => void setInterval(() => {}, 1000))\n", 'leaves open: 1 Timeout'],
  [
    'a socket in a unit test',
    "import { connect } from 'node:net'\ntest('a', () => void connect(1))\n",
    'a unit test opens no socket',
  ],
  [
    'a server in a unit test',
    "import { createServer } from 'node:http'\ntest('a', () => void createServer().listen(0))\n",
    'a unit test opens no socket',
  ],
])('refused: %s', (_, text, why) => {
  const { code, said } = runTests(text)
  expect(said).toContain(why)
  expect(code).not.toBe(0)
})

test.each([
  [false, 'unless it is a soak', '1 passed, 1 failed'],
  [true, 'and in a soak all', '1 passed, 2 failed'],
])('a skipped test is a failure where everything is installed (soak %s: %s)', (soak, _which, counts) => {
  const { code, said } = runTests("test('a', () => {})\ntest.skip('b', () => {})\ntest.skip('soak: c', () => {})\n", {
    complete: true,
    soak,
  })
  expect(said).toContain('did not run: a.test.mjs > b')
  expect(said).toContain(counts)
  expect(code).toBe(1)
})

test('what needed a second try is named, and what fails twice is a failure', () => {
  const { code, said } = runTests(
    "let tries = 0\ntest('a', () => { if (tries++ === 0) throw new Error('once') })\ntest('b', () => { throw new Error('always') })\n",
    { retry: 1 },
  )
  expect(said).toContain('passed at its second try: a.test.mjs > a\n')
  expect(said).not.toContain('second try: a.test.mjs > b')
  expect(said).toContain('1 passed, 1 failed')
  expect(code).toBe(1)
})
