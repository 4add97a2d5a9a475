import { createJsonLogger, silentLogger } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { logLevelActions } from './log-level.js'
import { logging } from './logging-page.js'
import type { AdminActions, AdminViews, Answer } from './page.js'

const ask = (actions: object, query: string): Answer =>
  logging.answer(new URLSearchParams(query), {} as AdminViews, actions as AdminActions)

it('/logging tells the level and sets it, by Envoy’s names', () => {
  const lines: string[] = []
  const logger = createJsonLogger((line) => lines.push(line), { now: () => 0 })
  const actions = logLevelActions(logger)
  expect(ask(actions, '').body).toBe('active loggers:\n  heddle: info\n')
  logger.debug({}, 'unheard')
  expect(ask(actions, 'level=trace')).toMatchObject({ status: 200, body: 'active loggers:\n  heddle: debug\n' })
  logger.debug({}, 'heard')
  expect(ask(actions, 'heddle=warning').body).toContain('heddle: warning')
  logger.info({}, 'unheard')
  expect(lines).toHaveLength(1)
})

it('says what it cannot do', () => {
  const actions = logLevelActions(createJsonLogger(() => {}, { now: () => 0 }))
  const refused = (query: string, problem: string): void =>
    expect(ask(actions, query)).toMatchObject({ status: 400, body: expect.stringContaining(`error: ${problem}\n\nusage: `) })
  refused('level=loud', 'unknown logger level')
  refused('http=debug', 'unknown logger name')
  refused('paths=heddle:debug,http:debug', 'unknown logger name')
  refused('paths=heddle', 'empty logger name or empty logger level')
  refused('level=debug&paths=heddle:debug', 'invalid number of parameters')
  expect(ask(actions, 'paths=heddle:debug').body).toBe('active loggers:\n  heddle: debug\n')
  expect(ask(actions, 'level=').body).toContain('heddle: debug')
  const without = logLevelActions(silentLogger)
  expect(ask(without, '').body).toContain('as its program says')
  expect(ask(without, 'level=debug')).toMatchObject({ status: 400, body: expect.stringContaining('without levels') })
})
