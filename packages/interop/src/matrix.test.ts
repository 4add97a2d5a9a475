import { expect, test } from 'vitest'
import { cellsOf, intoPage, renderMatrix, type TestReport } from './matrix.js'

const result = (group: string, title: string, status = 'passed') => ({ ancestorTitles: [group], title, status })
const report: TestReport = {
  startTime: 0,
  testResults: [
    { name: '/a.test.ts', assertionResults: [result('delta × Envoy', 'splits'), result('delta × Envoy', 'retries', 'failed')] },
    { name: '/b.test.ts', assertionResults: [result('sotw × Envoy', 'splits'), result('sotw × Envoy', 'retries', 'skipped')] },
    { name: '/c.test.ts', assertionResults: [result('server × grpc', 'calls')] },
    { name: '/unit.test.ts', assertionResults: [result('no cell', 'anything')] },
  ],
}
const cells = cellsOf(report)

test('a cell counts what passed; what was skipped has not', () => {
  expect(cells).toEqual([
    { controlPlane: 'delta', dataPlane: 'Envoy', passed: ['splits'], failed: ['retries'] },
    { controlPlane: 'server', dataPlane: 'grpc', passed: ['calls'], failed: [] },
    { controlPlane: 'sotw', dataPlane: 'Envoy', passed: ['splits'], failed: ['retries'] },
  ])
})

test('a row for each data plane, a column for each control plane, and what was checked', () => {
  expect(renderMatrix(cells, '2026-01-02')).toBe(`| data plane | delta | server | sotw |
| --- | --- | --- | --- |
| Envoy | **1 failed**, 1 passed, 2026-01-02 |  | **1 failed**, 1 passed, 2026-01-02 |
| grpc |  | 1 passed, 2026-01-02 |  |

Envoy:

- splits
- **failed:** retries

grpc:

- calls
`)
})

test('the matrix goes between the marks, and nowhere else', () => {
  const page = 'a\n<!-- matrix: written by the run -->\nold\n<!-- end of matrix -->\nb\n'
  expect(intoPage(page, 'new\n')).toBe(page.replace('old', 'new'))
  expect(() => intoPage('a', 'new')).toThrow('no <!-- matrix')
})
