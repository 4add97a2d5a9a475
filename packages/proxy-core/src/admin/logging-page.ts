import type { Result } from '@heddle/runtime'
import { LEVEL_NAMES, logLevelOf } from './log-level.js'
import { type AdminActions, type Answer, type Page, text } from './page.js'

/** There is one logger: its name and `level`, which is all of them, mean the same. */
const LOGGER = 'heddle'
const USAGE = `usage: /logging?<name>=<level> (change single level)
usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)
usage: /logging?level=<level> (change all levels)
levels: ${LEVEL_NAMES.join(' ')}
`
const NO_LEVELS = 'this server was given a logger without levels'

export const logging: Page = {
  path: '/logging',
  help: 'query/change logging levels',
  parameters: { paths: 'levels by logger, name:level, with commas between', level: `${LEVEL_NAMES.join(', ')}` },
  mutates: true,
  answer(query, _views, actions) {
    const problem = change(query, actions)
    return problem === undefined ? text(list(actions)) : refused(problem, actions)
  },
}

const list = (actions: AdminActions): string => `active loggers:\n  ${LOGGER}: ${actions.logLevel?.() ?? 'as its program says'}\n`

const refused = (problem: string, actions: AdminActions): Answer => text(`error: ${problem}\n\n${USAGE}${list(actions)}`, 400)

/** What is wrong with it; undefined when it was done, or nothing was asked for. */
function change(query: URLSearchParams, actions: AdminActions): string | undefined {
  const names = [...new Set(query.keys())]
  if (names.length === 0) return undefined
  if (names.length > 1) return 'invalid number of parameters'
  const [name = ''] = names
  const value = query.get(name) ?? ''
  if (value === '') return undefined
  const wanted = name === 'paths' ? value.split(',').map((pair) => pair.split(':')) : [[name === 'level' ? LOGGER : name, value]]
  if (wanted.some(([logger = '', level = '']) => logger === '' || level === '')) return 'empty logger name or empty logger level'
  const levels = wanted.map(([, level = '']) => level)
  // All or nothing, so that what is told is what is.
  if (levels.some((level) => logLevelOf(level) === undefined)) return 'unknown logger level'
  if (wanted.some(([logger]) => logger !== LOGGER)) return 'unknown logger name'
  const results = levels.map((level): Result<undefined> | undefined => actions.setLogLevel?.(level))
  return results.every((result) => result?.ok === true) ? undefined : NO_LEVELS
}
