import type { NodeMatcher, ValueMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import { expect, test } from 'vitest'
import { compileNodeMatcher } from './node-matcher.js'

const NODE = {
  id: 'sidecar~10.0.0.1~a.shop~x',
  metadata: { NAMESPACE: 'shop', LABELS: { app: 'a' }, PORTS: [80, 90], NATIVE: true, NOTHING: null },
}

function matches(matcher: NodeMatcher): boolean | string {
  const compiled = compileNodeMatcher(matcher, 'm')
  return compiled.ok ? compiled.value(NODE) : `${compiled.diagnostics[0]?.path}: ${compiled.diagnostics[0]?.message}`
}

const at = (path: string, value: ValueMatcher): NodeMatcher => ({
  node_metadatas: [{ path: path.split('.').map((key) => ({ key })), value }],
})

test.each<[string, ValueMatcher, boolean]>([
  ['NAMESPACE', { string_match: { exact: 'shop' } }, true],
  ['NAMESPACE', { string_match: { prefix: 'SH', ignore_case: true } }, true],
  ['NAMESPACE', { string_match: { exact: 'other' } }, false],
  ['NAMESPACE', { bool_match: true }, false],
  ['LABELS.app', { string_match: { exact: 'a' } }, true],
  ['LABELS.app.more', { present_match: true }, false],
  ['LABELS.toString', { present_match: true }, false],
  ['LABELS', { present_match: true }, true],
  ['LABELS', { present_match: false }, false],
  ['PORTS', { list_match: { one_of: { double_match: { exact: 90 } } } }, true],
  ['PORTS', { list_match: { one_of: { double_match: { range: { start: 81, end: 90 } } } } }, false],
  ['NATIVE', { bool_match: true }, true],
  ['NOTHING', { null_match: {} }, true],
  ['MISSING', { null_match: {} }, false],
  ['NATIVE', { or_match: { value_matchers: [{ null_match: {} }, { bool_match: true }] } }, true],
])('%s %j: %s', (path, value, expected) => expect(matches(at(path, value))).toBe(expected))

test('id and all of the metadata must match', () => {
  const shop = at('NAMESPACE', { string_match: { exact: 'shop' } })
  expect(matches({ ...shop, node_id: { prefix: 'sidecar' } })).toBe(true)
  expect(matches({ ...shop, node_id: { prefix: 'router' } })).toBe(false)
  const other = at('NAMESPACE', { string_match: { exact: 'other' } })
  expect(matches({ node_metadatas: [...(shop.node_metadatas ?? []), ...(other.node_metadatas ?? [])] })).toBe(false)
})

test('what is not understood is named by its place', () => {
  expect(matches({ node_metadatas: [{}] })).toMatch(/^m\.node_metadatas\[0\]\.path: /)
  expect(matches(at('A', {}))).toMatch(/^m\.node_metadatas\[0\]\.value: /)
  expect(matches(at('A', { string_match: { safe_regex: { regex: '.*' } } }))).toMatch(/value\.string_match: .*safe_regex/)
})
