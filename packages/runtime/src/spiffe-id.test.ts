import { expect, test } from 'vitest'
import { formatSpiffeId, parseSpiffeId } from './spiffe-id.js'

test('what is formatted parses back', () => {
  const id = { trustDomain: 'cluster.local', namespace: 'nolen', serviceAccount: 'apps-svc-all' }
  expect(formatSpiffeId(id)).toBe('spiffe://cluster.local/ns/nolen/sa/apps-svc-all')
  expect(parseSpiffeId(formatSpiffeId(id))).toEqual({ ok: true, value: id, diagnostics: [] })
})

test.each([
  ['https://cluster.local/ns/a/sa/b', 'does not start with spiffe://'],
  ['spiffe:///ns/a/sa/b', 'trust domain'],
  ['spiffe://Cluster.local/ns/a/sa/b', 'trust domain'],
  ['spiffe://user@td/ns/a/sa/b', 'trust domain'],
  ['spiffe://td:80/ns/a/sa/b', 'trust domain'],
  ['spiffe://td', 'the path is not'],
  ['spiffe://td/ns/a', 'the path is not'],
  ['spiffe://td/ns/a/sa/b/', 'the path is not'],
  ['spiffe://td/ns/a/sa/b/c', 'the path is not'],
  ['spiffe://td/sa/a/ns/b', 'the path is not'],
  ['spiffe://td/ns//sa/b', 'segment'],
  ['spiffe://td/ns/../sa/b', 'segment'],
  ['spiffe://td/ns/a/sa/b?x', 'segment'],
  ['spiffe://td/ns/%61/sa/b', 'segment'],
  [`spiffe://td/ns/a/sa/${'b'.repeat(2_048)}`, 'longer than 2048'],
])('%s is refused: %s', (uri, why) => {
  const result = parseSpiffeId(uri)
  expect(result.ok).toBe(false)
  expect(result.diagnostics[0]).toMatchObject({ code: 'spiffe.invalid_id', severity: 'error' })
  expect(result.diagnostics[0]!.message).toContain(why)
  expect(result.diagnostics[0]!.message.length).toBeLessThan(400)
})
