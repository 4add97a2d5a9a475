import { appendFile, mkdir, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore, type Store } from '@heddle/config-model'
import { type DirectorySource, watchDirectory } from '@heddle/config-model/sources'
import { formatDiagnostic, systemClock } from '@heddle/runtime'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const entry = (name: string, address = '10.0.0.1'): string =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: ${name}, namespace: ns}\nspec:\n  address: ${address}\n`

let directory: string
let store: Store
let source: DirectorySource

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'heddle-config-'))
  await writeFile(join(directory, 'a.yaml'), `${entry('a')}---\n${entry('b')}`)
  store = createStore()
  source = await watchDirectory(directory, { store, clock: systemClock, settleMs: 15 })
})
afterEach(async () => {
  source.close()
  await rm(directory, { recursive: true, force: true })
})

/** As editors do it: no moment in between, at which the file is empty, however busy the machine. */
async function replace(text: string): Promise<void> {
  await writeFile(join(directory, '.a.yaml.new'), text)
  await rename(join(directory, '.a.yaml.new'), join(directory, 'a.yaml'))
}
const names = (): string[] =>
  store
    .snapshot()
    .list('WorkloadEntry')
    .map(({ metadata }) => metadata.name)
const addressOf = (name: string): string | undefined => store.snapshot().get('WorkloadEntry', 'ns', name)?.spec.address
const soon = <T>(read: () => T, wanted: T): Promise<void> =>
  vi.waitFor(() => expect(read()).toEqual(wanted), { timeout: 20_000, interval: 5 })

it('has what lies there when it starts, and follows changes, new folders and deletions', async () => {
  expect(names()).toEqual(['a', 'b'])
  await writeFile(join(directory, 'a.yaml'), entry('a', '10.0.0.2'))
  await soon(names, ['a'])
  expect(addressOf('a')).toBe('10.0.0.2')
  await mkdir(join(directory, 'more/deep'), { recursive: true })
  await writeFile(
    join(directory, 'more/deep/c.json'),
    JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata: { name: 'c', namespace: 'ns' },
      spec: { address: '10.0.0.3' },
    }),
  )
  await soon(names, ['a', 'c'])
  await unlink(join(directory, 'a.yaml'))
  await soon(names, ['c'])
})

it('takes a file that is renamed over another, and never the moment between', async () => {
  const revisions: string[][] = []
  store.subscribe(() => revisions.push(names()))
  await writeFile(join(directory, '.a.yaml.swp'), 'not: [yaml')
  await writeFile(join(directory, 'a.yaml~'), 'not: [yaml')
  await writeFile(join(directory, 'new.tmp'), entry('z'))
  await rename(join(directory, 'new.tmp'), join(directory, 'a.yaml'))
  await soon(names, ['z'])
  expect(revisions).toEqual([['z']])
  expect(source.diagnostics.current).toEqual([])
})

it('waits for the end of a file that is written bit by bit', async () => {
  source.close()
  source = await watchDirectory(directory, { store, clock: systemClock, settleMs: 1_500 })
  const revisions: string[][] = []
  store.subscribe(() => revisions.push(names()))
  const path = join(directory, 'slow.yaml')
  const text = `${entry('s1')}---\n${entry('s2')}---\n${entry('s3')}`
  // Good YAML at every pause, and never all of it.
  for (const part of text.split(/(?<=10\.0\.0\.1\n)/)) {
    await appendFile(path, part)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await soon(names, ['a', 'b', 's1', 's2', 's3'])
  expect(revisions).toEqual([['a', 'b', 's1', 's2', 's3']])
})

it('makes one revision of files that appear and go together', async () => {
  const away = await mkdtemp(join(tmpdir(), 'heddle-away-'))
  await mkdir(join(away, 'more'))
  for (const name of ['p', 'q', 'r']) await writeFile(join(away, 'more', `${name}.yaml`), entry(name))
  const before = store.revision
  await rename(join(away, 'more'), join(directory, 'more'))
  await soon(names, ['a', 'b', 'p', 'q', 'r'])
  expect(store.revision).toBe(before + 1)
  await rename(join(directory, 'more'), join(away, 'more'))
  await soon(names, ['a', 'b'])
  expect(store.revision).toBe(before + 2)
  await rm(away, { recursive: true })
})

it('does not see what editors leave beside a file', async () => {
  const before = store.revision
  for (const name of ['.a.yaml.swp', '.#a.yaml', '#a.yaml#', 'a.yaml~', 'a.yaml.bak', '4913', '.a.yaml.kate-swp'])
    await writeFile(join(directory, name), entry('ghost'))
  await replace(entry('a', '10.0.0.8'))
  await soon(() => addressOf('a'), '10.0.0.8')
  expect(names()).toEqual(['a'])
  expect(store.revision).toBe(before + 1)
  expect(source.diagnostics.current).toEqual([])
})

it('keeps the last good version of a bad document and says where it is bad', async () => {
  await replace(`${entry('a', '"not an address!"')}---\n${entry('b', '10.9.9.9')}`)
  await soon(() => addressOf('b'), '10.9.9.9')
  expect(addressOf('a')).toBe('10.0.0.1')
  const problems = source.diagnostics.current.map(formatDiagnostic)
  expect(problems[0]).toMatch(/a\.yaml:5: error \S+ WorkloadEntry ns\/a spec\.address: /)
  expect(problems[1]).toMatch(/info config\.kept WorkloadEntry ns\/a: stays in force/)
  await replace(`${entry('a', '10.0.0.7')}---\n${entry('b')}`)
  await soon(() => addressOf('a'), '10.0.0.7')
  expect(source.diagnostics.current).toEqual([])
})

it('keeps everything of a file whose YAML is broken', async () => {
  await replace(`${entry('a', '10.0.0.5')}---\nkind: [unclosed`)
  await soon(() => addressOf('a'), '10.0.0.5')
  expect(names()).toEqual(['a', 'b'])
  expect(source.diagnostics.current[0]).toMatchObject({ code: 'config.yaml', origin: { line: 7 } })
})

it('reports what is not text, and a folder that goes away, and keeps serving', async () => {
  await writeFile(join(directory, 'b.yaml'), new Uint8Array([0x61, 0xff, 0xfe]))
  await soon(() => source.diagnostics.current.map(({ code }) => code), ['config.file'])
  await rm(directory, { recursive: true })
  await soon(() => source.diagnostics.current[0]?.code, 'config.directory')
  expect(names()).toEqual(['a', 'b'])
})

it('finds the line of a field', async () => {
  expect(source.origins.locate('WorkloadEntry ns/b', 'spec.address')).toEqual({
    file: join(directory, 'a.yaml'),
    line: 11,
    column: 3,
  })
})

it('rejects a folder that is not there', async () => {
  await expect(watchDirectory(join(directory, 'nope'), { store, clock: systemClock })).rejects.toThrow(/nope/)
})

it('hears of every rename over the same file, without polling', async () => {
  source.close()
  source = await watchDirectory(directory, { store, clock: systemClock, settleMs: 15, pollMs: 60_000 })
  for (const name of ['p', 'q', 'r', 's']) {
    await writeFile(join(directory, '.draft'), entry(name))
    await rename(join(directory, '.draft'), join(directory, 'a.yaml'))
    await soon(names, [name])
  }
})

it('tells of what is wrong once, however often it looks', async () => {
  await writeFile(join(directory, 'bad.yaml'), entry('bad', '"???"'))
  await soon(() => source.diagnostics.current.length, 1)
  let heard = 0
  const stop = source.diagnostics.subscribe(() => heard++)
  await writeFile(join(directory, 'c.yaml'), entry('c'))
  await soon(names, ['a', 'b', 'c'])
  expect(heard).toBe(0)
  stop()
})
