import { readFileSync } from 'node:fs'
import * as runtime from '@heddle/runtime'
import { expect, test } from 'vitest'

test('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```js\n([\s\S]*?)```/.exec(readme)![1]!
  const wanted = [...code.matchAll(/\/\/ prints (?!nothing)(.*)$/gm)].map(([, text]) => text!.trim())
  const printed: string[] = []
  const script = code.replace(/^import (\{.*\}) from '@heddle\/runtime'$/m, 'const $1 = runtime')
  new Function('runtime', 'console', script)(runtime, { log: (value: unknown) => printed.push(String(value).trim()) })
  expect(wanted.length).toBeGreaterThan(2)
  expect(printed).toEqual(wanted)
})
