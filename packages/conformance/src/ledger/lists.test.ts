import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withLists } from './lists.js'

const marked = (list: string, text: string): string =>
  `<!-- ${list}: made by packages/conformance/src/ledger/write.ts -->\n${text}<!-- ${list}: end -->\n`

const PAGES: Readonly<Record<string, readonly string[]>> = {
  'istio-coverage.md': ['validation', 'analysis', 'gateway-api', 'ingress'],
  'envoy-coverage.md': ['envoy', 'http1-desync', 'path-normalization', 'jws', 'x509-limbo'],
}

test.each(Object.entries(PAGES))(
  'docs/%s is up to date (npx tsx --conditions=@heddle/source packages/conformance/src/ledger/write.ts)',
  (name, suites) => {
    const page = readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')
    for (const suite of suites) {
      expect(page).toContain(marked(`misses of ${suite}`, '').split('\n')[0])
      expect(page).not.toContain(marked(`misses of ${suite}`, ''))
    }
    expect(withLists(page)).toBe(page)
  },
)

test('lists are made anew, and only they', () => {
  const page = `a\n${marked('misses of analysis', 'old\n')}b\n${marked('misses of nothing', '')}`
  const lines = withLists(page).split('\n')
  expect(lines).not.toContain('old')
  expect(lines.slice(0, 3)).toEqual([
    'a',
    '<!-- misses of analysis: made by packages/conformance/src/ledger/write.ts -->',
    '- the case names a mesh config file that is not among its inputs:',
  ])
  expect(lines).toContain('b')
  expect(lines).toContain('- None: every case that we know of agrees.')
  expect(withLists(marked('messages', ''))).toContain(
    '| IST0145 | ConflictingGateways | Error | gateway.ConflictingGatewayAnalyzer |',
  )
})
