import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ANALYZERS } from '../src/analysis/analyzers/index.js'
import { analyzeFiles, formatForPeople, OPTIONAL_ANALYZERS } from '../src/analysis/index.js'
import { readYaml } from '../src/read.js'

const folder = fileURLToPath(new URL('samples/', import.meta.url))
const NAMES = ['bookinfo', 'egress', 'ext-authz', 'helloworld', 'httpbin', 'jwt', 'multicluster']

test('the samples are those of Istio’s documentation', () => {
  expect(readdirSync(folder).sort()).toEqual(NAMES.map((name) => `${name}.yaml`))
})

describe.each(NAMES)('%s', (name) => {
  const file = `${name}.yaml`
  const text = readFileSync(`${folder}${file}`, 'utf8')

  test('reads and is valid', () => {
    const { resources, others, refused, diagnostics } = readYaml(text, { file })
    expect(diagnostics).toEqual([])
    expect([others, refused]).toEqual([[], []])
    expect(resources.length).toBe(text.split(/^---$/m).length)
  })

  test('analyzes clean, even with the analyzers that do not run by default', () => {
    const messages = analyzeFiles([{ file, text }], { now: 0, analyzers: [...ANALYZERS, ...OPTIONAL_ANALYZERS] })
    expect(messages.map(formatForPeople)).toEqual([])
  })
})

test.each([
  ['bookinfo', /subset: v3/, 'subset: v4', 'IST0101'],
  ['egress', /host: www\.example\.com/, 'host: nowhere.example.com', 'IST0101'],
  ['ext-authz', /app: httpbin\n {2}action/, 'app: other\n  action', 'IST0127'],
  ['helloworld', /version: v2\n$/, 'version: v9\n', 'IST0173'],
  ['httpbin', /- httpbin-gateway/, '- other-gateway', 'IST0101'],
  ['jwt', /app: httpbin\n {2}jwtRules/, 'app: other\n  jwtRules', 'HDL0102'],
  ['multicluster', /fromRegistry: Kubernetes/, 'fromRegistry: elsewhere', 'IST0126'],
])('%s with one mistake does not', (name, right, wrong, code) => {
  const text = readFileSync(`${folder}${name}.yaml`, 'utf8').replace(right, wrong)
  expect(analyzeFiles([{ file: `${name}.yaml`, text }], { now: 0 }).map((message) => message.code)).toContain(code)
})
