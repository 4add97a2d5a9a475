import { expect, it } from 'vitest'
import { loadDocument, loadDocuments } from './load.js'
import { splitDocuments } from './split.js'

it.each<[string, unknown]>([
  ['a: [y, no, On, "off", yes]', { a: [true, false, true, 'off', true] }],
  ['a: 0420', { a: 272 }],
  ['a: 12:30:45', { a: '12:30:45' }],
  ['a: 1_000', { a: 1000 }],
  ['a: 2020-01-01', { a: '2020-01-01' }],
  ['a: ~', { a: null }],
  ['a: &x {b: 1}\nc: {<<: *x, d: 2}', { a: { b: 1 }, c: { b: 1, d: 2 } }],
  ['{"a": [1, "2"]}', { a: [1, '2'] }],
])('reads %j as Kubernetes does', (text, value) => {
  expect(loadDocument(text)).toEqual({ ok: true, value })
})

it.each<[string, string, number, RegExp]>([
  ['a key twice', 'a: 1\na: 2', 2, /duplicate/],
  ['a wrong indent', 'a: [1\nb: 2', 2, /./],
  ['an unknown tag', 'a: !foo b', 1, /tag/],
  ['deep nesting', '['.repeat(200), 1, /./],
])('says where %s is', (_name, text, line, message) => {
  const loaded = loadDocument(text)
  expect(loaded).toMatchObject({ ok: false, line })
  expect(!loaded.ok && loaded.message).toMatch(message)
})

it('refuses a billion laughs', { timeout: 60_000 }, () => {
  const lines = ['a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]']
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  const before = performance.now()
  expect(loadDocument(lines.join('\n'))).toMatchObject({ ok: false, message: expect.stringContaining('aliases') })
  expect(performance.now() - before).toBeLessThan(5000)
})

it.each<[string, string]>([
  ['good documents', 'a: 1\n---\nb: [x, y]\n---\n"text"\n'],
  ['empty ones between', '# nothing\n---\n---\na: 1\n--- ~\n---\nb: 2\n'],
  ['a bad one', 'a: 1\n---\nb: [\n---\nc: 3\n'],
  ['aliases', 'a: &x 1\nb: *x\n---\nc: 3\n'],
])('reads a stream of %s as it reads each', (_name, stream) => {
  const chunks = splitDocuments(stream)
  expect(loadDocuments(stream, chunks)).toEqual(chunks.map(({ text }) => loadDocument(text)))
})
