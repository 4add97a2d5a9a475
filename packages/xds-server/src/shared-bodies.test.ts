import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { expect, test } from 'vitest'
import type { Response } from './protocol/stream-protocol.js'
import { DELTA_CODEC, SOTW_CODEC } from './wire.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const [a, b] = ['a', 'b'].map((name) => ({ name, version: '1', bytes: new Uint8Array([10, 1, name.charCodeAt(0)]) }))
const OPTIONS = { identifier: 'us', ttl: false }

function response(nonce: string, more: Partial<Response> = {}): Response {
  return { typeUrl: CDS, version: 'v', nonce, resources: [a!, b!], removed: [], ...more }
}

test.each([['Delta', DELTA_CODEC] as const, ['SotW', SOTW_CODEC] as const])(
  '%s: what streams get alike is one object, though their lists and nonces are their own',
  (_, codec) => {
    const [first, second] = ['s.1-1', 's.2-7'].map((nonce) => codec.write(response(nonce), { ...OPTIONS }))
    expect(first![1]).toBe(second![1])
    expect(first![0]).not.toEqual(second![0])
    for (const other of [{ version: 'w' }, { resources: [a!] }, { resources: [a!, { ...b! }] }])
      expect(codec.write(response('n', other), OPTIONS)[1]).not.toBe(first![1])
    expect(codec.write(response('n'), { ...OPTIONS, identifier: 'them' })[1]).not.toBe(first![1])
  },
)

test('the parts are one message, nonce and all', () => {
  const parts = DELTA_CODEC.write(response('s.1-1', { removed: ['c'] }), OPTIONS)
  expect(decodeDeltaResponse(Buffer.concat(parts))).toMatchObject({
    ok: true,
    value: { typeUrl: CDS, systemVersion: 'v', nonce: 's.1-1', removed: ['c'], controlPlane: 'us', resources: [{}, {}] },
  })
})
