import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { textFiles } from '../scripts/load.js'
import { SENTENCES } from '../scripts/sentences.js'

const GENERATED = path.join(import.meta.dirname, '../src/gen')
const read = (folder: string, ending: string): string =>
  textFiles(folder, ending)
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n')

it('the fields that Istio sets have a sentence of our own, short and whole', () => {
  const sentences = [...read(SENTENCES, '.txt').matchAll(/^ {2}\w+: (.*)$/gm)].map(([, sentence]) => sentence as string)
  expect(sentences.length).toBeGreaterThanOrEqual(838)
  for (const sentence of sentences) {
    expect(sentence).toMatch(/^\S.*\.$/)
    expect(sentence.length).toBeLessThan(160)
  }
  // The generator refuses a sentence about a field that does not exist, so each stands with its field.
  expect(read(GENERATED, 'cluster/v3.ts')).toContain('   * How long a new connection to a host may take; 5 s when unset.\n')
})

it('every field tells its type, its default, its rules and where Envoy documents it; deprecated ones say so', () => {
  const modules = read(path.join(GENERATED, 'envoy'), '.ts')
  const properties = [...modules.matchAll(/\/\*\*\n((?: {3}\*.*\n)+) {3}\*\/\n {2}\w+\?: /g)].map(([, docs]) => docs as string)
  expect(properties.length).toBeGreaterThan(3500)
  for (const docs of properties) {
    expect(docs).toMatch(/`[^`]+`; default /)
    expect(docs).toMatch(/\{@link https:\/\/www\.envoyproxy\.io\/docs\/envoy\/latest\/api-v3\/\S+#envoy-v3-api-field-\S+\}/)
  }
  expect(properties.filter((docs) => docs.includes('@deprecated')).length).toBeGreaterThan(100)
})
