import { expect, test } from 'vitest'
import { fail, ok, problem } from './result.js'

test('carries what was noticed, with a value and without', () => {
  const wrong = problem('a.b', 'spec.x', 'Set x.')
  expect(wrong).toEqual({ code: 'a.b', severity: 'error', path: 'spec.x', message: 'Set x.' })
  expect(ok(1)).toEqual({ ok: true, value: 1, diagnostics: [] })
  expect(ok(1, [wrong])).toEqual({ ok: true, value: 1, diagnostics: [wrong] })
  expect(fail(wrong, wrong)).toEqual({ ok: false, diagnostics: [wrong, wrong] })
})
