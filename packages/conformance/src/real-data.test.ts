import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dataFolders, findData } from './data.js'
import type { KnownMissLists } from './known-misses.js'
import { runSuites } from './run.js'
import { suites } from './suites/index.js'

/** Suites that need neither sockets nor processes; the others run in `pnpm conformance` only. */
const QUICK = [
  ...['validation', 'authorization', 'ambient-authorization', 'simulation', 'sidecar-routes', 'injection'],
  ...['capture-iptables', 'capture-nftables', 'jws'],
]

const folders = dataFolders([], process.env['HEDDLE_CONFORMANCE'])

test.skipIf(folders.length === 0).each(QUICK)('%s: as listed (skipped: HEDDLE_CONFORMANCE is not set)', async (name) => {
  for await (const { misses, stale } of runSuites(
    suites.filter((suite) => suite.name === name),
    folders,
  ))
    expect({ misses, stale }).toEqual({ misses: [], stale: [] })
})

test.skipIf(folders.length === 0)('known misses name cases that there are (skipped: HEDDLE_CONFORMANCE is not set)', () => {
  for (const suite of suites) {
    const [file] = findData(folders, suite.file)
    const name = `${suite.name}.json`
    if (file === undefined || !LISTS.includes(name)) continue
    const data = file.json()
    const ids = suite.ids?.(data) ?? (data as { id: string }[]).map(({ id }) => id)
    const listed = Object.values(
      JSON.parse(readFileSync(new URL(`known-misses/${name}`, import.meta.url), 'utf8')) as KnownMissLists,
    ).flat()
    const unknown = listed.filter((id) =>
      id.endsWith('*') ? !ids.some((one) => one.startsWith(id.slice(0, -1))) : !ids.includes(id),
    )
    expect(unknown, suite.name).toEqual([])
    expect(new Set(listed).size, suite.name).toBe(listed.length)
  }
})

const LISTS = readdirSync(new URL('known-misses/', import.meta.url))

test('each list of known misses belongs to a suite that runs', () => {
  const running = suites.filter(({ run }) => run !== undefined).map(({ name }) => `${name}.json`)
  expect(LISTS.filter((list) => !running.includes(list))).toEqual([])
})
