import { expect, test } from 'vitest'
import type { Connection } from '../../net/connection.js'
import { createHeaderMap } from '../header-map.js'
import { Writer } from './writer.js'

interface Heard {
  readonly connection: Connection
  readonly writes: Uint8Array[]
  buffered: number
  onWrite?: () => void
}

/** Remembers what it is given; `buffered`: as if the kernel had not taken it. */
function fakeConnection(): Heard {
  const writes: Uint8Array[] = []
  const heard: Heard = {
    writes,
    buffered: 0,
    connection: {
      write(bytes: Uint8Array) {
        writes.push(heard.buffered > 0 ? bytes : Buffer.from(bytes))
        heard.onWrite?.()
        return true
      },
      get buffered() {
        return heard.buffered
      },
    } as unknown as Connection,
  }
  return heard
}

const texts = ({ writes }: Heard): string[] => writes.map((bytes) => Buffer.from(bytes).toString('latin1'))

test('what many connections are given in one turn leaves at its end, in one write each', () => {
  const turns: (() => void)[] = []
  const defer = (run: () => void): void => void turns.push(run)
  const [one, two] = [fakeConnection(), fakeConnection()]
  const [first, second] = [new Writer(one.connection, defer), new Writer(two.connection, defer)]
  first.ascii('head ')
  first.bytes(Buffer.from('body'))
  second.field('x-name', 'va\nlue')
  second.line('other', createHeaderMap([['x', 'y\r']]), 0)
  expect([texts(one), texts(two)]).toEqual([[], []])
  expect(turns).toHaveLength(1)
  turns.shift()?.()
  expect([texts(one), texts(two)]).toEqual([['head body'], ['x-name: va lue\r\nother: y \r\n']])
  expect([first.total, second.total]).toEqual(['head body'.length, 'x-name: va lue\r\nother: y \r\n'.length])
})

test('without turns it leaves at the end of the task; a connection in turn with another keeps its order', async () => {
  const [one, two] = [fakeConnection(), fakeConnection()]
  const [first, second] = [new Writer(one.connection), new Writer(two.connection)]
  for (let i = 0; i < 100; i++) {
    first.ascii(`a${i} `)
    second.ascii(`b${i} `)
  }
  await Promise.resolve()
  const wanted = (letter: string): string => Array.from({ length: 100 }, (_, i) => `${letter}${i} `).join('')
  expect([texts(one).join(''), texts(two).join('')]).toEqual([wanted('a'), wanted('b')])
})

test('memory that a connection holds on to is not written again', async () => {
  const [slow, other] = [fakeConnection(), fakeConnection()]
  slow.buffered = 1
  const [first, second] = [new Writer(slow.connection), new Writer(other.connection)]
  first.ascii('held')
  first.flush()
  second.ascii('later')
  await Promise.resolve()
  first.ascii('copied')
  await Promise.resolve()
  second.ascii('again')
  await Promise.resolve()
  expect(texts(slow)).toEqual(['held', 'copied'])
})

test('large bodies leave at once, in order, even when a write makes others write', async () => {
  const heard = fakeConnection()
  const writer = new Writer(heard.connection)
  const pieces = [10, 20_000, 100_000, 127 * 1024, 300_000, 5].map((length, i) => Buffer.alloc(length, 97 + i))
  heard.onWrite = () => {
    const piece = pieces.shift()
    if (piece !== undefined) writer.bytes(piece)
  }
  const whole = Buffer.concat([Buffer.from('start'), ...pieces])
  writer.ascii('start')
  for (let i = 0; i < 10; i++) await Promise.resolve()
  expect(Buffer.concat(heard.writes).equals(whole)).toBe(true)
})
