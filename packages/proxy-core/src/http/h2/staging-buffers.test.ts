import { expect, test } from 'vitest'
import { LARGEST_STAGING, releaseStaging, takeStaging } from './staging-buffers.js'

test('a buffer that was given back is the next of its size; others find their own', () => {
  const small = takeStaging(100)
  const large = takeStaging(small.length + 1)
  expect(large.length).toBe(LARGEST_STAGING)
  releaseStaging(small)
  releaseStaging(large)
  expect(takeStaging(small.length)).toBe(small)
  expect(takeStaging(LARGEST_STAGING)).toBe(large)
})

test('what is larger than any is made to measure, and not kept', () => {
  const huge = takeStaging(LARGEST_STAGING + 1)
  expect(huge.length).toBe(LARGEST_STAGING + 1)
  releaseStaging(huge)
  expect(takeStaging(LARGEST_STAGING + 1)).not.toBe(huge)
})
