import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runProxy } from '../src/proxy-command.js'

test('a proxy without listeners, admin page and management server stays until it is asked to leave', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-idle-'))
  const proxy = runProxy(folder, 'idle', {}, [])
  try {
    expect(await Promise.race([proxy.code, delay(3_000, 'stays')]), proxy.errors()).toBe('stays')
    proxy.stop()
    expect(await proxy.code, proxy.errors()).toBe(0)
  } finally {
    proxy.stop()
    rmSync(folder, { recursive: true })
  }
}, 60_000)
