import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { absentNames, coveragePage, PAGE, presentNames } from '../scripts/coverage.js'

it('docs/xds-coverage.md is what the .proto files say; pnpm --filter @heddle/xds-types coverage writes it anew', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(coveragePage())
})

it('nothing is both absent and present', () => {
  const present = presentNames(true)
  const both = [...absentNames()].flatMap(([name, members]) =>
    members.length === 0
      ? present.has(name)
        ? [name]
        : []
      : members.filter((member) => present.get(name)?.includes(member) !== false).map((member) => `${name}.${member}`),
  )
  expect(both.filter((name) => !name.startsWith('opencensus.'))).toEqual([])
})

it('all of the shipped v3 API is here', () => {
  const shipped = [...presentNames(false).keys()].filter((name) => /^(envoy|xds|udpa)\./.test(name))
  const present = presentNames(true)
  expect(shipped.filter((name) => !present.has(name))).toEqual([])
  expect(shipped.length).toBeGreaterThan(1200)
})
