import { expect, it } from 'vitest'
import { splitDocuments } from './split.js'

it.each<[string, string, [number, RegExp][]]>([
  ['nothing', '', []],
  ['comments and markers only', '# hi\n---\n\n--- # there\n...\n', []],
  ['one document', 'a: 1\n', [[1, /^a: 1/]]],
  ['a marker first', '---\na: 1\n', [[1, /a: 1/]]],
  [
    'two documents',
    'a: 1\n---\nb: 2\n',
    [
      [1, /^a: 1\n$/],
      [2, /^---\nb: 2/],
    ],
  ],
  [
    'content behind the marker',
    'a: 1\n--- {b: 2}\n',
    [
      [1, /a/],
      [2, /b/],
    ],
  ],
  [
    'an end marker',
    'a: 1\n...\nb: 2\n',
    [
      [1, /a/],
      [2, /b/],
    ],
  ],
  [
    'windows lines',
    'a: 1\r\n---\r\nb: 2\r\n',
    [
      [1, /a/],
      [2, /b/],
    ],
  ],
  ['dashes that are no marker', 'a: |\n  ---\n  x\n----\n', [[1, /----/]]],
  ['a directive', '%YAML 1.2\n---\na: 1\n', [[2, /a: 1/]]],
])('splits %s', (_name, stream, wanted) => {
  const chunks = splitDocuments(stream)
  expect(chunks.map(({ line }) => line)).toEqual(wanted.map(([line]) => line))
  chunks.forEach(({ text }, i) => {
    expect(text).toMatch(wanted[i]![1])
  })
})
