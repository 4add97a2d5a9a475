import { expect, test } from 'vitest'
import type { ClientHelloParts } from './client-hello.js'
import { ja3Of, ja4Of } from './tls-fingerprint.js'

const NONE: ClientHelloParts = {
  ...{ version: 0x0303, ciphers: [], extensions: [], groups: [], pointFormats: [] },
  ...{ signatureAlgorithms: [], versions: [], alpn: [] },
}

const numbers = (hex: string): readonly number[] => hex.split(',').map((each) => Number.parseInt(each, 16))

// The examples of the two specifications.
test('JA3', () => {
  const hello: ClientHelloParts = {
    ...NONE,
    version: 769,
    ciphers: [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
    extensions: [0, 10, 11],
    groups: [23, 24, 25],
    pointFormats: [0],
  }
  expect(ja3Of(hello)).toBe('ada70206e40642a3e4461f35503241d5')
  expect(ja3Of({ ...hello, groups: [0x1a1a, 23, 24, 25] }), 'GREASE does not count').toBe(ja3Of(hello))
  expect(ja3Of({ ...NONE, version: 769, ciphers: [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99] })).toBe(
    'de350869b8c85de67a350c8d186f11e6',
  )
})

test('JA4', () => {
  const hello: ClientHelloParts = {
    ...NONE,
    ciphers: numbers('8a8a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035'),
    extensions: numbers('caca,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015'),
    signatureAlgorithms: numbers('0403,0804,0401,0503,0805,0501,0806,0601'),
    versions: numbers('baba,0304,0303'),
    alpn: ['h2', 'http/1.1'],
  }
  expect(ja4Of(hello)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1')
  expect(ja4Of({ ...hello, ciphers: hello.ciphers.toReversed() }), 'order does not count').toBe(ja4Of(hello))
  expect(ja4Of(NONE)).toBe('t12i000000_000000000000_000000000000')
  expect(ja4Of({ ...NONE, alpn: ['http/1.1'] })).toMatch(/^t12i0000h1_/)
  expect(ja4Of({ ...NONE, alpn: ['\xab\xcd'] })).toMatch(/^t12i0000ad_/)
})
