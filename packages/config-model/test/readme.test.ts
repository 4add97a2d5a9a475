import { readFileSync } from 'node:fs'
import * as configModel from '@heddle/config-model'
import * as runtime from '@heddle/runtime'
import { expect, test } from 'vitest'

test('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```js\n([\s\S]*?)```/.exec(readme)![1]!
  const wanted = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text!.trim())
  const printed: string[] = []
  const script = code.replace(
    /^import (\{.*\}) from '@heddle\/(.*)'$/gm,
    (_, names: string, name: string) => `const ${names} = modules['${name}']`,
  )
  const log = (...values: unknown[]): void => void printed.push(values.map(String).join(' '))
  new Function('modules', 'console', script)({ 'config-model': configModel, runtime }, { log })
  expect(wanted).toHaveLength(2)
  expect(printed).toEqual(wanted)
})
