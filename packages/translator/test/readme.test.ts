import { readFileSync } from 'node:fs'
import * as config from '@heddle/config-model'
import * as translator from '@heddle/translator'
import { expect, test } from 'vitest'

test('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const wanted = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text?.trim())
  const printed: string[] = []
  const script = code
    .replace(/^import (\{.*\}) from '@heddle\/config-model'$/m, 'const $1 = config')
    .replace(/^import (\{.*\}) from '@heddle\/translator'$/m, 'const $1 = translator')
  new Function('config', 'translator', 'console', script)(config, translator, {
    log: (value: unknown) => printed.push(String(value).trim()),
  })
  expect(wanted.length).toBeGreaterThan(2)
  expect(printed).toEqual(wanted)
})
