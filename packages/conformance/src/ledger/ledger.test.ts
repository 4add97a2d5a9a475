import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldsOfKinds } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { dataFolders, findData } from '../data.js'
import { envoyFields, isProved, istioFields, linesOf, withLedger } from './ledger.js'

const root = new URL('../../../../', import.meta.url)
const KINDS = ['VirtualService', 'DestinationRule', 'Gateway', 'ServiceEntry', 'Sidecar', 'WorkloadEntry'] as const
const folders = dataFolders([], process.env['HEDDLE_CONFORMANCE'])

test('every field that the kinds know has a line, and no other', () => {
  const known = Object.fromEntries([...fieldsOfKinds(...KINDS)].map(([kind, fields]) => [kind, [...fields].sort()]))
  const listed = Object.fromEntries(Object.entries(istioFields).map(([kind, fields]) => [kind, Object.keys(fields).sort()]))
  expect(listed).toEqual(known)
})

test('at least 95 % of the lines name a case, all others a reason', () => {
  const lines = linesOf(istioFields)
  expect(lines.filter(isProved).length / lines.length).toBeGreaterThanOrEqual(0.95)
  for (const { proof } of lines) expect(proof).toMatch(/^(istiod|golden|test) \S+$|^no: .{10,}/)
  for (const { proof } of linesOf(envoyFields)) expect(proof).toMatch(/^set$|^no: .{10,}/)
})

test('the goldens and tests that lines name exist', () => {
  for (const { proof } of linesOf(istioFields)) {
    const [suite, name = ''] = proof.split(' ')
    if (suite === 'golden') expect(existsSync(new URL(`packages/translator/test/goldens/${name}.json`, root)), proof).toBe(true)
    if (suite === 'test') expect(existsSync(new URL(name, root)), proof).toBe(true)
  }
})

test('docs/istio-coverage.md is up to date (npx tsx --conditions=@heddle/source packages/conformance/src/ledger/write.ts)', () => {
  const page = readFileSync(new URL('docs/istio-coverage.md', root), 'utf8')
  expect(withLedger(page)).toBe(page)
})

const reason = 'skipped: HEDDLE_CONFORMANCE is not set'

test.skipIf(folders.length === 0)(`the cases of istiod that lines name exist (${reason})`, () => {
  const ids = new Set(findData(folders, 'istiod.json').flatMap((file) => (file.json() as { id: string }[]).map(({ id }) => id)))
  const named = linesOf(istioFields).flatMap(({ proof }) => (proof.startsWith('istiod ') ? [proof.slice('istiod '.length)] : []))
  // Other data than ours may lie there, of which nothing is known.
  if (named.some((id) => ids.has(id))) expect(named.filter((id) => !ids.has(id))).toEqual([])
})

test.skipIf(folders.length === 0)(`every field of the reference's tables is known (${reason})`, () => {
  const page = folders.map((folder) => join(folder, '../reference/istio-used-envoy-fields.json')).find((path) => existsSync(path))
  if (page === undefined) return
  const { scopes } = JSON.parse(readFileSync(page, 'utf8')) as {
    scopes: { pilot: Record<string, { fields?: Record<string, { use: string }> }> }
  }
  const missing = Object.entries(scopes.pilot)
    .filter(([message]) => /^envoy\.(config|extensions|type)\./.test(message))
    .flatMap(([message, { fields = {} }]) =>
      Object.entries(fields)
        .filter(([field, { use }]) => use.includes('set') && envoyFields[message]?.[field] === undefined)
        .map(([field]) => `${message}.${field}`),
    )
  expect(missing).toEqual([])
})

/** What stands in the reference's tables beside names of fields, deprecated spellings, and WorkloadGroup's. */
const PROSE =
  'annotations auto bytes command conditions dns exact exec failureThreshold grpc httpGet httpHeaders if ignored implemented initialDelaySeconds metadata mirrorPercent new none not ns observedGeneration of periodSeconds prefix probe rate regex service string success successThreshold tcpSocket template timeoutSeconds validationMessages warmupDurationSecs allocated'.split(
    ' ',
  )

test.skipIf(folders.length === 0)(`every name in the tables of istio-api.md has a line (${reason})`, () => {
  const page = folders.map((folder) => join(folder, '../reference/istio-api.md')).find((path) => existsSync(path))
  if (page === undefined) return
  const known = new Set([...linesOf(istioFields).flatMap(({ field }) => field.match(/\w+/g) ?? []), ...PROSE])
  const sections = readFileSync(page, 'utf8')
    .split('\n## ')
    .filter((section) => /^(VirtualService|DestinationRule|Gateway|ServiceEntry|Sidecar)/.test(section))
  const rows = sections.flatMap((section) => section.split('\n').filter((line) => line.startsWith('|')))
  const names = rows.flatMap(
    (row) =>
      row
        .replaceAll('\\|', '/')
        .split('|')[1]
        ?.match(/\b[a-z]\w*/g) ?? [],
  )
  expect([...new Set(names.filter((name) => !known.has(name)))]).toEqual([])
  expect(rows.length).toBeGreaterThan(20)
})
