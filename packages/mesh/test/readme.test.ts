import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it, vi } from 'vitest'

const folder = path.join(import.meta.dirname, '..')

it('the example of the README runs', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(await readFile(path.join(folder, 'README.md'), 'utf8')) ?? []
  const file = path.join(folder, 'test', `readme-${process.pid}.ts`)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    await writeFile(file, code)
    await import(file)
    expect(log.mock.calls).toEqual([['v1']])
  } finally {
    await rm(file, { force: true })
    log.mockRestore()
  }
})
