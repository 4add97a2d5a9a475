import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsup'
import { runChild } from '../child.js'
import type { Tool } from '../tools.js'

/** Quiet: nothing is fetched, synchronised or asked of the user. Without a sandbox because containers run as root. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--virtual-time-budget=10000',
]

/** Bundles a script for browsers from our sources. Rejects when anything of it needs Node. */
export async function bundleForBrowser(entry: string, folder: string): Promise<string> {
  await build({
    config: false,
    silent: true,
    entry: { page: entry },
    outDir: folder,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    splitting: false,
    noExternal: [/.*/],
    outExtension: () => ({ js: '.js' }),
    esbuildOptions(options) {
      options.conditions = ['@heddle/source', 'browser']
    },
  })
  const script = join(folder, 'page.js')
  // What could not be bundled is left as a call, for a runtime that has it.
  const [, needs] = /\b__require\("([^"]+)"\)/.exec(readFileSync(script, 'utf8')) ?? []
  if (needs !== undefined) throw new Error(`a browser has no ${needs}`)
  return script
}

/** The text of a page that runs this script. */
export async function textOfPage(chromium: Tool, script: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-page-'))
  const page = join(folder, 'page.html')
  writeFileSync(page, `<!doctype html><meta charset="utf-8"><body></body><script src="file://${script}"></script>`)
  try {
    const dom = await domOf(chromium, `file://${page}`)
    return unescapeHtml(/<body>([\s\S]*?)<\/body>/.exec(dom)?.[1] ?? '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What scripts have made of a page after ten seconds of its own time, as HTML: by headless Chromium with a profile of its own. */
export async function domOf(chromium: Tool, url: string): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'heddle-chromium-'))
  try {
    return await runChild(chromium.path, [...FLAGS, `--user-data-dir=${profile}`, '--dump-dom', url])
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

function unescapeHtml(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&nbsp;', '\u00a0').replaceAll('&amp;', '&').trim()
}
