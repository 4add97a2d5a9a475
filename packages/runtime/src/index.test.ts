import { expect, test } from 'vitest'
import * as runtime from './index.js'

test('the public surface', () => {
  expect(Object.keys(runtime).sort().join(' ')).toMatchInlineSnapshot(
    `"BuildError DEFAULT_BUCKET_BOUNDS DEFAULT_TRUST_DOMAIN PROMETHEUS_CONTENT_TYPE contentHash createBackoff createDebounce createGraph createJsonLogger createMetricsRegistry createSideTable createSource createWatch derive deriveMany dropOldest equal fail formatDiagnostic formatSpiffeId index join mapWatch ok parseSpiffeId problem renderPrometheus silentLogger suggest systemClock systemRandom"`,
  )
})
