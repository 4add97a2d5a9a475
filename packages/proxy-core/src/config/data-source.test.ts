import type { DataSource } from '@heddle/xds-types/envoy/config/core/v3'
import { expect, it } from 'vitest'
import { type DataSourceReads, readDataSource } from './data-source.js'

const reads: DataSourceReads = {
  readFile: (path) => (path === '/a' ? 'of a file' : undefined),
  environment: { SET: 'of env', EMPTY: '' },
}

it.each<[DataSource, string]>([
  [{ inline_string: 'a' }, 'a'],
  [{ inline_bytes: 'YQ==' }, 'a'],
  [{ filename: '/a' }, 'of a file'],
  [{ filename: '/a', watched_directory: { path: '/' } }, 'of a file'],
  [{ environment_variable: 'SET' }, 'of env'],
  [{ environment_variable: 'EMPTY' }, ''],
])('%j is %j', (source, text) => {
  expect(readDataSource(source, 'at', reads)).toMatchObject({ ok: true, value: text })
})

it.each<[DataSource, string, string]>([
  [{}, 'at', 'needs one of'],
  [{ inline_bytes: '%' }, 'at.inline_bytes', 'base64'],
  [{ filename: '/b' }, 'at.filename', 'cannot read "/b"'],
  [{ environment_variable: 'UNSET' }, 'at.environment_variable', 'no variable "UNSET"'],
  [{ environment_variable: 'toString' }, 'at.environment_variable', 'no variable'],
])('%j is refused', (source, path, message) => {
  const found = readDataSource(source, 'at', reads)
  expect(found).toMatchObject({ ok: false, diagnostics: [{ path, message: expect.stringContaining(message) }] })
})

it('has no variable and no file where nobody gives any', () => {
  for (const source of [{ environment_variable: 'SET' }, { filename: '/a' }])
    expect(readDataSource(source, '', {}).ok).toBe(false)
})
