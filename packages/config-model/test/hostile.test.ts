import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore, readYaml, type Store } from '@heddle/config-model'
import { type DirectorySource, watchDirectory } from '@heddle/config-model/sources'
import { formatDiagnostic, systemClock } from '@heddle/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const virtualService = (name: string, spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}, namespace: shop}\nspec:\n${spec}\n`
const GOOD_SPEC = '  hosts: [tea.example]\n  http: [{route: [{destination: {host: tea.example}}]}]'

function laughs(): string {
  const lines = ['a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]']
  for (let i = 1; i < 30; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: laughs}\ndata:\n  ${lines.join('\n  ')}\n`
}

const many = (bad: string): string =>
  Array.from({ length: 10_000 }, (_, i) => (i % 100 === 50 ? bad : virtualService(`many-${i}`, GOOD_SPEC))).join('\n---\n')

/** What is in the folder, and what is said of it. */
const HOSTILE: readonly (readonly [file: string, content: () => string | Uint8Array, problems: number, says: RegExp])[] = [
  ['laughs.yaml', laughs, 1, /laughs\.yaml:1: error config\.yaml: .*aliases unfold to too much/],
  [
    'aliases.yaml',
    () => `a: &a ${'x'.repeat(1000)}\nb: [${Array(100_000).fill('*a').join(',')}]\n`,
    1,
    /aliases\.yaml:2: error config\.yaml: .*aliases/,
  ],
  [
    'large.yaml',
    () => virtualService('large', `  hosts: ["${'x'.repeat(100_000_000)}"]`),
    1,
    /large\.yaml:1: error config\.file: has 100\d+ bytes, more than the limit of 67108864/,
  ],
  [
    'text.yaml',
    () => virtualService('text', `  hosts: ["${'x'.repeat(40_000_000)}"]`),
    1,
    /text\.yaml:1: error config\.yaml: .*40\d+ characters, more than the limit of 33554432/,
  ],
  [
    'lists.yaml',
    () => virtualService('lists', `  hosts: ${'['.repeat(1_000_000)}`),
    1,
    /lists\.yaml:5: error config\.yaml: .*nesting/,
  ],
  [
    'indents.yaml',
    () => Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
    1,
    /indents\.yaml:10\d: error config\.yaml: .*nesting/,
  ],
  [
    'keys.yaml',
    () => virtualService('keys', `${GOOD_SPEC}\n  hosts: [milk.example]`),
    1,
    /keys\.yaml:7: error config\.yaml: .*duplicated mapping key/,
  ],
  [
    'unknown.yaml',
    () => virtualService('unknown', Array.from({ length: 50_000 }, (_, i) => `  k${i}: 1`).join('\n')),
    101,
    /unknown\.yaml:5: error config\.unknown_field VirtualService shop\/unknown spec\.k0: /,
  ],
  ['bytes.yaml', () => new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]), 1, /bytes\.yaml:1: error config\.file: is not UTF-8 text/],
  [
    'proto.yaml',
    () => virtualService('proto', `${GOOD_SPEC}\n  __proto__: {polluted: true}`),
    1,
    /proto\.yaml:7: error config\.unknown_field .*__proto__/,
  ],
  [
    'tag.yaml',
    () => virtualService('tag', '  hosts: !!js/function "function () {}"'),
    1,
    /tag\.yaml:5: error config\.yaml: .*unknown .*tag/,
  ],
  ['nul.yaml', () => virtualService('nul', '  hosts: ["a\u0000b"]'), 1, /nul\.yaml:5: error config\.yaml: .*null byte/],
  [
    'regex.yaml',
    () =>
      virtualService(
        'regex',
        `  hosts: [tea.example]\n  http: [{match: [{uri: {regex: "${'a'.repeat(1025)}"}}], route: [{destination: {host: tea.example}}]}]`,
      ),
    1,
    /regex\.yaml:6: error config\.regex .*1024/,
  ],
  ['many.yaml', () => many('kind: [unclosed'), 100, /many\.yaml:\d+: error config\.yaml: not valid YAML/],
  [
    'refused.yaml',
    () => many(virtualService('bad', '  hots: [tea.example]')).replaceAll('many-', 'refused-'),
    100,
    /refused\.yaml:\d+: error config\.unknown_field .*did you mean hosts\?/,
  ],
]

describe('a folder of hostile files', () => {
  let directory: string
  let store: Store
  let source: DirectorySource
  let peak = 0
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'heddle-hostile-'))
    for (const [file, content] of HOSTILE) await writeFile(join(directory, file), content())
    await writeFile(join(directory, 'good.yaml'), virtualService('good', GOOD_SPEC))
    store = createStore()
    const before = process.memoryUsage().rss
    source = await watchDirectory(directory, { store, clock: systemClock, settleMs: 15 })
    peak = process.memoryUsage().rss - before
  }, 120_000)
  afterAll(async () => {
    source.close()
    await rm(directory, { recursive: true, force: true })
  })

  it.each(HOSTILE)('%s is reported with its place', (file, _content, problems, says) => {
    const found = source.diagnostics.current.filter(({ origin }) => origin?.file === join(directory, file)).map(formatDiagnostic)
    expect(found).toHaveLength(problems)
    expect(found[0]).toMatch(says)
    for (const text of found) expect(text.length).toBeLessThan(2000)
  })

  it('is served as far as it is good, now and after changes', async () => {
    const names = store
      .snapshot()
      .list('VirtualService')
      .map(({ metadata }) => metadata.name)
    expect(names.filter((name) => name.startsWith('many-'))).toHaveLength(9900)
    expect(names.filter((name) => name.startsWith('refused-'))).toHaveLength(9900)
    expect(names.filter((name) => !name.includes('-'))).toEqual(['good'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    await writeFile(join(directory, 'good.yaml'), virtualService('better', GOOD_SPEC))
    await expect.poll(() => store.snapshot().get('VirtualService', 'shop', 'better')).toBeDefined()
  }, 30_000)

  it('costs no more memory than some copies of what may be read', () => {
    expect(peak).toBeLessThan(1.5e9)
  })
})

it('does the same for texts that no folder guards', () => {
  const good = virtualService('good', GOOD_SPEC)
  for (const text of [
    `"${'x'.repeat(100_000_000)}"`,
    'x'.repeat(100_000_000),
    `- |\n${`  ${'x'.repeat(97)}\n`.repeat(1_000_000)}`,
  ]) {
    const { resources, diagnostics } = readYaml(`${good}---\n${text}\n---\n${good.replace('good', 'last')}`, { file: 'f.yaml' })
    expect(resources.map(({ metadata }) => metadata.name)).toEqual(['good', 'last'])
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      expect.stringMatching(/^f\.yaml:7: error config\.yaml: .*more than the limit/),
    ])
  }
}, 60_000)

it.each([
  ['labels', 'labels: {__proto__: x, constructor: z}'],
  ['annotations', 'annotations: {__proto__: x, constructor: z}'],
])('keeps hostile keys of %s as what they are', (where, text) => {
  const { resources } = readYaml(`apiVersion: v1\nkind: Service\nmetadata: {name: s, ${text}}\nspec: {ports: [{port: 80}]}\n`, {
    file: 'f',
  })
  const map = resources[0]!.metadata[where as 'labels']
  expect(Object.keys(map)).toEqual(['__proto__', 'constructor'])
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

it('CVE-2022-39278, ISTIO-SECURITY-2026-006: a giant pattern is judged by its length, and the objects of others are read', () => {
  const giant = `(${'a'.repeat(500_000)}|b)+`
  const match = (pattern: string): string => `  hosts: [tea.example]
  http: [{match: [{uri: {regex: "${pattern}"}}], route: [{destination: {host: tea.example}}]}]`
  const filter = `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter, namespace: evil}
spec:
  configPatches:
  - applyTo: CLUSTER
    match: {proxy: {proxyVersion: "${giant}"}, cluster: {}}
    patch: {operation: MERGE, value: {}}
`
  const text = [virtualService('giant', match(giant)), filter, virtualService('good', GOOD_SPEC)].join('---\n')
  const started = performance.now()
  const { resources, diagnostics } = readYaml(text, { file: 'f' })
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
    'error config.regex',
    'warning config.no_effect',
  ])
  for (const { message } of diagnostics) expect(message.length).toBeLessThan(2000)
  expect(resources.map(({ metadata }) => metadata.name)).toEqual(['filter', 'good'])
})

it('judges a pattern that would block a backtracking engine at once', () => {
  const text = virtualService(
    'slow',
    '  hosts: [tea.example]\n  http: [{match: [{uri: {regex: "(a+)+$"}}], route: [{destination: {host: tea.example}}]}]',
  )
  expect(readYaml(text, { file: 'f' }).diagnostics).toEqual([])
})
