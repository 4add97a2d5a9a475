import { expect, it } from 'vitest'
import { setMetadataFilter } from './set-metadata.js'
import { configured, run, stream } from './testing.js'

it('merges objects, lengthens lists and leaves what it may not overwrite', () => {
  const asked = stream()
  asked.info.metadata.set('kept', { a: 1 })
  const metadata = [
    { metadata_namespace: 'ns', value: { tag: 'x', list: [1], inner: { a: 1 } } },
    { metadata_namespace: 'ns', allow_overwrite: true, value: { tag: 'y', list: [2], inner: { b: 2 } } },
    { metadata_namespace: 'kept', value: { a: 2 } },
  ]
  const create = configured(setMetadataFilter, { metadata_namespace: 'old', value: { o: true }, metadata })
  void run(create, asked)
  void run(create, stream())
  expect(asked.info.metadata.get('ns')).toEqual({ tag: 'y', list: [1, 2], inner: { a: 1, b: 2 } })
  expect(asked.info.metadata.get('kept')).toEqual({ a: 1 })
  expect(asked.info.metadata.get('old')).toEqual({ o: true })
})

it('refuses typed values by name', () => {
  const { diagnostics } = setMetadataFilter.decode({ metadata: [{ metadata_namespace: 'n', typed_value: {} }] }, 'c')
  expect(diagnostics[0]).toMatchObject({ path: 'c.metadata[0].typed_value' })
})
