import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeClock } from '@heddle/runtime/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFileAppender } from './append-to-file.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-append-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const text = (name: string): string => readFileSync(join(folder, name), 'utf8')

test('appends to what is there; a file that was moved away is made anew after a second', async () => {
  const clock = createFakeClock()
  const append = createFileAppender(join(folder, 'log'), clock)
  await append(Buffer.from('a\n'))
  renameSync(join(folder, 'log'), join(folder, 'old'))
  await append(Buffer.from('b\n'))
  clock.advance(1000)
  await append(Buffer.from('c\n'))
  await createFileAppender(join(folder, 'log'), clock)(Buffer.from('d\n'))
  expect(text('old')).toBe('a\nb\n')
  expect(text('log')).toBe('c\nd\n')
})

test('the second may pass while a block is written', async () => {
  const clock = createFakeClock()
  const append = createFileAppender(join(folder, 'log'), clock)
  await append(Buffer.from('a\n'))
  renameSync(join(folder, 'log'), join(folder, 'old'))
  const second = append(Buffer.from('b\n'))
  clock.advance(1000)
  await second
  await append(Buffer.from('c\n'))
  expect(text('old')).toBe('a\nb\n')
  expect(text('log')).toBe('c\n')
})

test('tells why it cannot', async () => {
  const append = createFileAppender(join(folder, 'no', 'log'), createFakeClock())
  await expect(append(Buffer.from('a\n'))).rejects.toMatchObject({ code: 'ENOENT' })
})
