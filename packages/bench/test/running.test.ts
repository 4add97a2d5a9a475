import { expect, it } from 'vitest'
import { start, withProcesses } from '../src/running.js'
import { MINIMAL } from './minimal.js'

it('a worker that hangs fails, and is stopped', async () => {
  let pid = 0
  const asked = withProcesses(async (keep) => {
    const running = keep(
      start(MINIMAL.placement, 'subject', [process.execPath, '-e', 'console.log(1); setInterval(() => {}, 9)']),
    )
    pid = running.pid
    expect(await running.line()).toBe('1')
    return running.line(50)
  })
  await expect(asked).rejects.toThrow('hangs: it has said nothing for 0.05 s')
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

it('a worker that ends early says why', async () => {
  const asked = withProcesses((keep) =>
    keep(start(MINIMAL.placement, 'subject', [process.execPath, '-e', 'console.error("no memory"); process.exit(3)'])).line(),
  )
  await expect(asked).rejects.toThrow('ended (3): no memory')
})
