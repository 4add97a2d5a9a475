import { expect, it } from 'vitest'
import { locateInDocument } from './locate.js'

it.each<[string, string, readonly (string | number)[], [number, number]]>([
  ['a document', 'a: 1\n', [], [1, 1]],
  ['one behind comments, directives and a marker', '# hello\n%YAML 1.2\n--- # x\n\n  # y\na: 1\n', [], [6, 1]],
  ['one on the line of its marker', '---   {a: 1}\n', [], [1, 7]],
  ['a field', '# x\na:\n  b: [1,\n    2]\n', ['a', 'b', 1], [4, 5]],
  ['the nearest part of what is not there', 'a:\n  b: 1\n', ['a', 'c', 'd'], [1, 1]],
  ['a key that is a number', '1: {2: x}\n', ['1', '2'], [1, 5]],
  ['in a document of megabytes: where it begins', `# x\na:\n  b: ${'x'.repeat(2 ** 20)}\n`, ['a', 'b'], [2, 1]],
])('finds %s', (_name, text, keys, [line, column]) => {
  expect(locateInDocument(text, keys)).toEqual({ line, column })
})
