import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bundleForBrowser, textOfPage } from '../src/browser/open-page.js'
import { runPackages } from '../src/browser/program.js'
import { describeWith } from '../src/cell.js'
import { findChromium } from '../src/tools.js'

const folder = mkdtempSync(join(tmpdir(), 'heddle-browser-'))
afterAll(() => rmSync(folder, { recursive: true }))

const chromium = findChromium()
describeWith(chromium, 'runtime, xds-types, config-model and translator in Chromium', () => {
  test('a page makes of a mesh what Node makes of it, byte for byte', async () => {
    const here = runPackages()
    expect(here.diagnostics).toEqual([expect.stringContaining('shop.yaml:14 ')])
    expect(here.resources.length).toBeGreaterThan(8)
    const script = await bundleForBrowser(join(import.meta.dirname, '../src/browser/page.ts'), folder)
    expect(JSON.parse(await textOfPage(chromium, script))).toEqual(JSON.parse(JSON.stringify(here)))
  })
})

test('what needs Node is not bundled for a page', async () => {
  const entry = join(folder, 'wrong.ts')
  writeFileSync(entry, "import { readFileSync } from 'node:fs'\nreadFileSync('/etc/hosts')\n")
  await expect(bundleForBrowser(entry, folder)).rejects.toThrow('a browser has no fs')
})
