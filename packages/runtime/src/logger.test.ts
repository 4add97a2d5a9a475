import { expect, test } from 'vitest'
import { silentLogger } from './logger.js'
import { createMemoryLogger } from './testing/index.js'

test('the silent logger takes everything', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(silentLogger[level]({}, 'x')).toBeUndefined()
})

test('the memory logger remembers', () => {
  const logger = createMemoryLogger()
  logger.warn({ a: 1 }, 'careful')
  logger.error({}, 'too late')
  expect(logger.entries).toEqual([
    { level: 'warn', fields: { a: 1 }, message: 'careful' },
    { level: 'error', fields: {}, message: 'too late' },
  ])
  logger.clear()
  expect(logger.entries).toEqual([])
})
