import { createWatch, ok } from '@heddle/runtime'
import type { ExtensionConfigSource } from '@heddle/xds-types/envoy/config/core/v3'
import { expect, it } from 'vitest'
import { deps, stream } from '../filters/http/testing.js'
import type { HttpFilterFactory } from '../http/filter.js'
import { testDeps } from '../testing.js'
import { compileDiscovery, compileExtension, type DecodedFilter } from './discovered-filter.js'
import { compileMessage } from './fields.js'

const factory = (typeName: string): HttpFilterFactory<unknown> => ({
  typeNames: [typeName],
  decode: ({ says }) => ok(says),
  create: (says) => () => ({ onRequest: () => ({ status: 200, body: String(says), details: '' }) }),
})
const [A, B] = [factory('a.A'), factory('b.B')]
const any = (typeName: string, says: string) => ({ '@type': `type.googleapis.com/${typeName}`, says })

function discover(json: object) {
  const source = createWatch<DecodedFilter | undefined>(undefined)
  const own = testDeps({ httpFilters: [A, B], extensions: { watch: () => source } })
  const compiled = compileMessage(json as ExtensionConfigSource, 'd', (fields) => compileDiscovery(fields, 'name', own))
  const send = (typeName: string, says: string): void => {
    const sent = compileExtension({ name: 'name', typed_config: any(typeName, says) } as never, own, '')
    if (!sent.ok) throw new Error('refused')
    source.set(sent.value)
  }
  const create = compiled.ok ? compiled.value?.factory.create(undefined, deps(), 'name') : undefined
  const answer = (): unknown => {
    const made = stream()
    return create?.(made).onRequest?.(made.request, made)
  }
  return { compiled, send, answer, takeBack: () => source.set(undefined) }
}

it('a filter does what the last config says; without one every request is answered as by Envoy', () => {
  const { send, answer, takeBack } = discover({ config_source: { ads: {} }, type_urls: ['type.googleapis.com/a.A'] })
  const missing = { status: 500, body: '', flag: 'NFCF' }
  expect(answer()).toMatchObject(missing)
  send('a.A', 'one')
  expect(answer()).toMatchObject({ body: 'one' })
  send('a.A', 'two')
  expect(answer()).toMatchObject({ body: 'two' })
  send('b.B', 'of another listener')
  expect(answer()).toMatchObject(missing)
  takeBack()
  expect(answer()).toMatchObject(missing)
})

it('the default stands in for a config that is not there', () => {
  const type_urls = ['type.googleapis.com/a.A', 'type.googleapis.com/b.B']
  const { send, answer, takeBack, compiled } = discover({
    ...{ type_urls, default_config: any('b.B', 'default') },
    apply_default_config_without_warming: true,
  })
  expect(compiled).toMatchObject({ value: { expected: { typeNames: ['a.A', 'b.B'], waits: false } } })
  expect(answer()).toMatchObject({ body: 'default' })
  send('a.A', 'one')
  expect(answer()).toMatchObject({ body: 'one' })
  takeBack()
  expect(answer()).toMatchObject({ body: 'default' })
})

it.each([
  [{}, 'd.type_urls'],
  [{ type_urls: ['type.googleapis.com/c.C'] }, 'd.type_urls'],
  [{ type_urls: ['type.googleapis.com/a.A'], default_config: any('b.B', '') }, 'd.default_config'],
  [
    { type_urls: ['type.googleapis.com/a.A'], apply_default_config_without_warming: true },
    'd.apply_default_config_without_warming',
  ],
])('%j is refused', (json, path) => {
  expect(discover(json).compiled.diagnostics.map((diagnostic) => diagnostic.path)).toEqual([path])
})
