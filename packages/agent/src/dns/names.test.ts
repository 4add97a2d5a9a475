import { silentLogger } from '@heddle/runtime'
import { encodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { NameTable } from '@heddle/xds-types/istio/networking/nds/v1'
import { expect, test } from 'vitest'
import { subscribeNames } from './names.js'

const read = (bytes: Buffer | undefined) => {
  const decoded = bytes === undefined ? undefined : DeltaDiscoveryRequest.decode(bytes)
  return decoded?.ok === true ? decoded.value : undefined
}

function response(typeUrl: string, ...bodies: Uint8Array[]): Buffer {
  const resources = bodies.map((bytes) => ({ name: 'n', version: '1', bytes }))
  return Buffer.from(
    encodeDeltaResponse({ typeUrl, systemVersion: '1', nonce: 'nonce-1', resources, removed: [], controlPlane: '' }),
  )
}

test('asks once, takes the answers, leaves the proxy its own', () => {
  const tables: NameTable[] = []
  const names = subscribeNames((table) => tables.push(table), silentLogger)
  expect(read(names.request)).toEqual({ type_url: NameTable.typeUrl })
  const table = { table: { 'tea.shop': { ips: ['10.0.0.1'] } } }
  expect(read(names.take(response(NameTable.typeUrl, NameTable.encode(table))))).toEqual({
    type_url: NameTable.typeUrl,
    response_nonce: 'nonce-1',
  })
  expect(tables).toEqual([table])
  const clusters = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
  expect(names.take(response(clusters, Buffer.from('anything')))).toBeUndefined()
  expect(names.take(response(clusters, Buffer.from(NameTable.typeUrl)))).toBeUndefined()
})

test('what cannot be read is refused, and the last table stays', () => {
  const tables: NameTable[] = []
  const names = subscribeNames((table) => tables.push(table), silentLogger)
  expect(read(names.take(response(NameTable.typeUrl, Buffer.from([0xff, 0xff]))))).toMatchObject({
    response_nonce: 'nonce-1',
    error_detail: { code: 3 },
  })
  expect(names.take(Buffer.concat([Buffer.from([0x0a, 0x7f]), Buffer.from(NameTable.typeUrl)]))).toBeUndefined()
  expect(read(names.take(response(NameTable.typeUrl)))).toMatchObject({ response_nonce: 'nonce-1' })
  expect(tables).toEqual([])
})
