import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createBufferedSink } from './log-sink.js'

describe('a buffered sink', () => {
  it('writes in blocks: after the interval, or when enough is there', async () => {
    const clock = createFakeClock()
    const blocks: string[] = []
    const sink = createBufferedSink({ clock, write: async (block) => void blocks.push(block.toString()), maxBufferedLength: 10 })
    sink.write('a\n')
    sink.write('b\n')
    await clock.advanceAsync(99)
    expect(blocks).toEqual([])
    await clock.advanceAsync(1)
    expect(blocks).toEqual(['a\nb\n'])
    sink.write('0123456789\n')
    await clock.advanceAsync(0)
    expect(blocks).toEqual(['a\nb\n', '0123456789\n'])
    expect(clock.pending).toBe(0)
  })

  it('keeps the order while a write is slow, and drops and counts beyond its bound', async () => {
    const clock = createFakeClock()
    const blocks: string[] = []
    let finish = (): void => {}
    const write = (block: Buffer): Promise<void> => {
      blocks.push(block.toString())
      return new Promise((resolve) => {
        finish = resolve
      })
    }
    const sink = createBufferedSink({ clock, write, maxBufferedLength: 2, maxPendingLength: 4 })
    sink.write('aa')
    sink.write('bb')
    sink.write('cc')
    sink.write('dd')
    await clock.advanceAsync(0)
    expect(blocks).toEqual(['aa'])
    expect(sink.dropped).toBe(1)
    finish()
    await clock.advanceAsync(0)
    expect(blocks).toEqual(['aa', 'bb'])
  })

  it('tells of a block that is lost and goes on', async () => {
    const clock = createFakeClock()
    const errors: unknown[] = []
    let first = true
    const blocks: string[] = []
    const write = async (block: Buffer): Promise<void> => {
      if (first) {
        first = false
        throw new Error('disk full')
      }
      blocks.push(block.toString())
    }
    const sink = createBufferedSink({ clock, write, onError: (error) => errors.push(error) })
    sink.write('a')
    await sink.flush()
    sink.write('b')
    await sink.flush()
    expect(errors).toHaveLength(1)
    expect(blocks).toEqual(['b'])
  })

  it('writes lines of any length and language, and one block does not spoil the next', async () => {
    const clock = createFakeClock()
    const blocks: Buffer[] = []
    const sink = createBufferedSink({
      clock,
      write: async (block) => void blocks.push(Buffer.from(block)),
      maxBufferedLength: 10,
    })
    const lines = ['ä€😀\n', `${'long '.repeat(20_000)}\n`, 'short\n', `${'ü'.repeat(9_000)}\n`, 'last\n']
    for (const line of lines) {
      sink.write(line)
      await clock.advanceAsync(0)
    }
    await sink.flush()
    expect(Buffer.concat(blocks).toString()).toBe(lines.join(''))
  })

  it('writes strings of JSON as JSON.stringify does', async () => {
    const texts = [
      '',
      'plain text',
      'a "quote"',
      'back\\slash',
      'line\nend',
      'grün',
      '\u{1f600}',
      '\ud800',
      '\x7f',
      'x'.repeat(10_000),
    ]
    const blocks: string[] = []
    const sink = createBufferedSink({ clock: createFakeClock(), write: async (block) => void blocks.push(block.toString()) })
    for (const text of texts) {
      sink.pieces.addJson(text)
      sink.pieces.add('\n')
      sink.pieces.end()
    }
    await sink.flush()
    expect(blocks.join('')).toBe(texts.map((text) => `${JSON.stringify(text)}\n`).join(''))
  })
})
