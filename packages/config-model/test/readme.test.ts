import { readFileSync } from 'node:fs'
import * as configModel from '@heddle/config-model'
import * as analysis from '@heddle/config-model/analysis'
import * as runtime from '@heddle/runtime'
import { expect, test } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!)

test.each([
  [0, 2],
  [1, 1],
])('example %i of the README runs and prints what it says', (at, lines) => {
  const code = examples[at]!
  const wanted = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text!.trim())
  const printed: string[] = []
  const script = code.replace(
    /^import (\{.*\}) from '@heddle\/(.*)'$/gm,
    (_, names: string, name: string) => `const ${names} = modules['${name}']`,
  )
  const log = (...values: unknown[]): void => void printed.push(values.map(String).join(' '))
  new Function('modules', 'console', script)({ 'config-model': configModel, 'config-model/analysis': analysis, runtime }, { log })
  expect(wanted).toHaveLength(lines)
  expect(printed).toEqual(wanted)
})
