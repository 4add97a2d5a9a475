import { ANALYZERS, ISTIO_MESSAGES, type MessageType, OPTIONAL_ANALYZERS, OWN_MESSAGES } from '@heddle/config-model/analysis'
import { readMissLists } from '../known-misses.js'

const LIST =
  /(<!-- (messages|misses of [a-z0-9-]+): made by packages\/conformance\/src\/ledger\/write\.ts -->\n)[\s\S]*?(<!-- \2: end -->)/g

/** The page with its lists of messages and of known misses as they are now. */
export function withLists(page: string): string {
  return page.replace(LIST, (_, begin: string, list: string, end: string) => `${begin}${listOf(list)}${end}`)
}

function listOf(list: string): string {
  return list === 'messages' ? messageTable() : missList(list.slice('misses of '.length))
}

const LEVELS = { error: 'Error', warning: 'Warning', info: 'Info' } as const

function messageTable(): string {
  const all = Object.entries<MessageType>({ ...ISTIO_MESSAGES, ...OWN_MESSAGES })
  const tellers = [...ANALYZERS, ...OPTIONAL_ANALYZERS]
  const rows = all
    .sort(([, [, a]], [, [, b]]) => (a < b ? -1 : 1))
    .map(([name, [level, code]]) => {
      const by = tellers.filter(({ messages }) => (messages as readonly string[]).includes(name)).map((one) => one.name)
      return `| ${code} | ${name} | ${LEVELS[level]} | ${by.length === 0 ? 'an analyzer that fails' : by.join(', ')} |`
    })
  return ['| code | name | level | told by |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function missList(suite: string): string {
  const lists = Object.entries(readMissLists(suite))
  if (lists.length === 0) return '- None: every case that we know of agrees.\n'
  return lists.map(([reason, ids]) => `- ${reason}:\n${ids.map((id) => `  - \`${id}\`\n`).join('')}`).join('')
}
