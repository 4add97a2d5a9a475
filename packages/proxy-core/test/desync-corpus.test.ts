import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  cluster,
  endpoint,
  routeTable,
  sendRaw,
  startProxy,
  startUpstream,
  type TestProxy,
  type TestUpstream,
} from './harness.js'

interface Case {
  readonly name: string
  readonly uri: string
  readonly method: string
  readonly version: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly expected: { readonly tier: 'Compliant' | 'Acceptable' | 'Ambiguous' | 'Severe' }
}

const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'http1-desync.json'))
  .find(existsSync)
if (file === undefined) console.log('desync corpus skipped: HEDDLE_CONFORMANCE names no folder with http1-desync.json')
const cases: readonly Case[] = file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as Case[])

describe.skipIf(file === undefined)('requests that implementations read differently', () => {
  let upstream: TestUpstream
  let proxy: TestProxy
  beforeAll(async () => {
    upstream = await startUpstream((request, response) =>
      request
        .resume()
        .on('error', () => {})
        .on('end', () => response.end('taken')),
    )
    proxy = await startProxy({ table: routeTable('u'), clusters: [cluster('u', [endpoint(upstream.port)])] })
  })
  afterAll(async () => {
    await proxy.close()
    await upstream.close()
  })

  test.each(cases.filter((one) => one.expected.tier === 'Severe').map((one, i) => [i, one.name, one] as const))(
    'severe %i: %s',
    async (_, _name, { method, uri, version, headers }) => {
      const host = headers.some((header) => header.name.trim().toLowerCase() === 'host') ? '' : 'host: h\r\n'
      const lines = headers.map(({ name, value }) => `${name}:${value}\r\n`).join('')
      const answer = await sendRaw(
        proxy.port,
        Buffer.from(`${method} ${uri} ${version}\r\n${host}${lines}\r\n`, 'latin1'),
        '\r\n\r\n',
      )
      expect(answer).toMatch(/^HTTP\/1\.1 (4\d\d|501) .*connection: close/s)
    },
  )
})
