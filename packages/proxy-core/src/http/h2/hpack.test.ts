import { describe, expect, test } from 'vitest'
import type { HeaderField } from './header-field.js'
import { createHpackDecoder } from './hpack-decoder.js'
import { createHpackEncoder } from './hpack-encoder.js'
import { huffmanDecode } from './huffman.js'

type Pair = readonly [name: string, value: string]

function decodeWith(decoder: ReturnType<typeof createHpackDecoder>, hex: string): Pair[] | undefined {
  const block = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const fields: Pair[] = []
  const ok = decoder.decode(block, 0, block.length, ({ name, value }: HeaderField) => fields.push([name, value]))
  return ok ? fields : undefined
}

const decode = (hex: string): Pair[] | undefined => decodeWith(createHpackDecoder(4096), hex)

describe('RFC 7541 Appendix C', () => {
  test('C.2.1 to C.2.4: one field of each representation', () => {
    expect(decode('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')).toEqual([['custom-key', 'custom-header']])
    expect(decode('040c 2f73 616d 706c 652f 7061 7468')).toEqual([[':path', '/sample/path']])
    expect(decode('1008 7061 7373 776f 7264 0673 6563 7265 74')).toEqual([['password', 'secret']])
    expect(decode('82')).toEqual([[':method', 'GET']])
  })

  test('C.4: three requests with Huffman', () => {
    const decoder = createHpackDecoder(4096)
    const first: Pair[] = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ]
    expect(decodeWith(decoder, '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')).toEqual(first)
    expect(decodeWith(decoder, '8286 84be 5886 a8eb 1064 9cbf')).toEqual([...first, ['cache-control', 'no-cache']])
    expect(decodeWith(decoder, '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')).toEqual([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      [':authority', 'www.example.com'],
      ['custom-key', 'custom-value'],
    ])
  })

  test('C.6: responses with Huffman and eviction from a table of 256 octets', () => {
    const decoder = createHpackDecoder(256)
    const date = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'] as const
    const location = ['location', 'https://www.example.com'] as const
    const cache = ['cache-control', 'private'] as const
    expect(
      decodeWith(
        decoder,
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      ),
    ).toEqual([[':status', '302'], cache, date, location])
    expect(decodeWith(decoder, '4883 640e ffc1 c0bf')).toEqual([[':status', '307'], cache, date, location])
    expect(
      decodeWith(
        decoder,
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ),
    ).toEqual([
      [':status', '200'],
      cache,
      ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
      location,
      ['content-encoding', 'gzip'],
      ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
    ])
  })
})

describe('what is refused', () => {
  test.each([
    ['index 0', '80'],
    ['an index behind the tables', 'be'],
    ['a literal with such a name', '7f 00 01 61'],
    ['a string longer than the block', '00 05 61'],
    ['an integer that never ends', 'ff ff ff ff ff ff ff ff ff'],
    ['a block that ends inside an integer', 'ff'],
    ['a larger table than was allowed', '3f e2 1f'],
    ['a change of the table behind a field', '82 20'],
    ['Huffman padding of zeros', '00 01 61 81 18'],
    ['Huffman padding of a whole octet', '00 01 61 82 1f ff'],
    ['EOS inside a string', '00 01 61 84 ff ff ff ff'],
  ])('%s', (_, hex) => {
    expect(decode(hex)).toBeUndefined()
  })

  test('but a code of thirteen bits is read: NUL is 1ff8, then three bits of padding', () => {
    expect(huffmanDecode(Buffer.from('ffc7', 'hex'), 0, 2)).toBe('\0')
  })
})

describe('the encoder', () => {
  const blockOf = (encoder: ReturnType<typeof createHpackEncoder>, fields: readonly Pair[]): Buffer => {
    const into = Buffer.alloc(64 * 1024)
    let at = encoder.begin(into, 0)
    for (const [name, value] of fields) at = encoder.field(into, at, name, value)
    return into.subarray(0, at)
  }
  const read = (decoder: ReturnType<typeof createHpackDecoder>, block: Buffer): Pair[] => {
    const fields: Pair[] = []
    expect(decoder.decode(block, 0, block.length, ({ name, value }) => fields.push([name, value]))).toBe(true)
    return fields
  }

  test('what it writes is read back, through evictions and changes of the table', () => {
    const encoder = createHpackEncoder()
    const decoder = createHpackDecoder(4096)
    let seed = 7
    const next = (most: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return Math.floor((seed / 2147483648) * most)
    }
    for (let round = 0; round < 3000; round++) {
      if (round % 97 === 0) encoder.setMaxTableSize([0, 100, 4096, 512][next(4)]!)
      const fields: Pair[] = Array.from({ length: next(12) }, () => [
        ['x-a', 'cookie', ':path', 'content-type', 'authorization', `x-${next(400)}`][next(6)]!,
        'v'.repeat(next(60)) + next(30),
      ])
      expect(read(decoder, blockOf(encoder, fields))).toEqual(fields)
    }
  })

  test('a repeated token costs one octet, a value that never repeats stops pushing others out', () => {
    const encoder = createHpackEncoder()
    const token: Pair = ['authorization', `Bearer ${'x'.repeat(350)}`]
    blockOf(encoder, [token])
    for (let i = 0; i < 100; i++) blockOf(encoder, [['x-own-id', `unique ${i} ${'y'.repeat(100)}`]])
    expect(blockOf(encoder, [token]).length).toBeLessThanOrEqual(2)
  })

  test('short secrets are never indexed', () => {
    expect(blockOf(createHpackEncoder(), [['cookie', 'a=1']])[0]! & 0xf0).toBe(0x10)
  })
})
