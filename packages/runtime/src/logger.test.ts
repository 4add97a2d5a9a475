import { expect, test } from 'vitest'
import { createJsonLogger, silentLogger } from './logger.js'
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

test('the JSON logger writes a line an event, from its level on', () => {
  const lines: string[] = []
  const logger = createJsonLogger((line) => lines.push(line), { now: () => 0 }, 'warn')
  logger.info({ a: 1 }, 'unheard')
  logger.error({ code: 'x', text: 'two\nlines' }, 'heard')
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"error","message":"heard","code":"x","text":"two\\nlines"}\n',
  ])
})

test('the level of the JSON logger can be changed while it is in use', () => {
  const lines: string[] = []
  const logger = createJsonLogger((line) => lines.push(line), { now: () => 0 })
  logger.debug({}, 'unheard')
  logger.level = 'debug'
  logger.debug({}, 'heard')
  logger.level = 'off'
  logger.error({}, 'unheard')
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['heard'])
})
