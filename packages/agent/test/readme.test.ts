import { readFileSync } from 'node:fs'
import * as agent from '@heddle/agent'
import { expect, test } from 'vitest'

test('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```js\n([\s\S]*?)```/.exec(readme)![1]!
  const wanted = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text!.trim())
  const printed: string[] = []
  const script = code.replace(/^import (\{.*\}) from '@heddle\/agent'$/m, 'const $1 = agent')
  new Function('agent', 'console', script)(agent, { log: (value: unknown) => printed.push(String(value).trim()) })
  expect(wanted.length).toBeGreaterThan(3)
  expect(printed).toEqual(wanted)
})
