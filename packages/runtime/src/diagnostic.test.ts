import { expect, test } from 'vitest'
import { formatDiagnostic } from './diagnostic.js'

test('is one line that editors and CI logs read', () => {
  expect(formatDiagnostic({ code: 'IST0101', severity: 'error', message: 'no such host', path: '' })).toBe(
    'error IST0101: no such host',
  )
  expect(
    formatDiagnostic({
      code: 'IST0101',
      severity: 'warning',
      message: 'no such host',
      path: 'spec.hosts[0]',
      subject: 'VirtualService nolen/apps',
      origin: { file: 'mesh/vs.yaml', line: 7 },
    }),
  ).toBe('mesh/vs.yaml:7: warning IST0101 VirtualService nolen/apps spec.hosts[0]: no such host')
})
