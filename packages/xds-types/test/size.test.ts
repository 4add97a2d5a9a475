import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'tsup'
import { afterAll, expect, it } from 'vitest'

const SOURCES = path.join(import.meta.dirname, '../src')
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-size-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A page of these lines, bundled and minified: its bytes after gzip, and its text. */
async function page(name: string, lines: string): Promise<{ gzipped: number; text: string }> {
  const entry = path.join(folder, `${name}.ts`)
  writeFileSync(entry, lines)
  await build({
    config: false,
    silent: true,
    entry: { [name]: entry },
    outDir: folder,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    splitting: false,
    noExternal: [/.*/],
    outExtension: () => ({ js: '.js' }),
    esbuildOptions(options) {
      options.conditions = ['@heddle/source', 'browser']
    },
  })
  const text = readFileSync(path.join(folder, `${name}.js`), 'utf8')
  return { gzipped: gzipSync(text).length, text }
}

it('a page that uses Cluster alone is less than 60 KB, gzipped, and has nothing of listeners', async () => {
  const { gzipped, text } = await page(
    'cluster',
    `import { Cluster } from '${SOURCES}/gen/envoy/config/cluster/v3.js'\nconsole.log(Cluster.encode({ name: 'a' }), Cluster.validate({}))\n`,
  )
  console.log(`a page with Cluster alone: ${(gzipped / 1000).toFixed(1)} KB gzipped`)
  expect(gzipped).toBeLessThan(60_000)
  expect(text).toContain('envoy.config.cluster.v3.Cluster')
  expect(text).not.toContain('envoy.config.listener')
})

it('what a page does not name is left out, inside of a module too', async () => {
  const { text } = await page(
    'percent',
    `import { Percent } from '${SOURCES}/gen/envoy/type/v3.js'\nconsole.log(Percent.encode({ value: 1 }))\n`,
  )
  expect(text).toContain('envoy.type.v3.Percent')
  expect(text).not.toContain('envoy.type.v3.TokenBucket')
})

it('the whole package is less than 700 KB of JavaScript, with what bundlers need to leave things out', async () => {
  const dist = path.join(folder, 'dist')
  const tsup = path.join(path.dirname(createRequire(import.meta.url).resolve('tsup')), 'cli-default.js')
  execFileSync(process.execPath, [tsup, '--silent', '--out-dir', dist], { cwd: path.join(import.meta.dirname, '..') })
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
  const bytes = files.reduce((sum, file) => sum + readFileSync(path.join(dist, file)).length, 0)
  console.log(`the whole package: ${files.length} files, ${(bytes / 1000).toFixed(1)} KB of JavaScript`)
  expect(bytes).toBeLessThan(700_000)
  const cluster = readFileSync(path.join(dist, 'gen/envoy/config/cluster/v3.js'), 'utf8')
  expect(cluster).toMatch(/= \/\* @__PURE__ \*\/ \w+\.message\("envoy\.config\.cluster\.v3\.Cluster"/)
})
