import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type protobuf from 'protobufjs'
import { emitModule } from './emit.js'
import { emitAll } from './emit-all.js'
import { LEFT_OUT, loadApi, OWN_PROTOS, textFiles, typesOf } from './load.js'
import { modulePath, packageOf } from './names.js'
import { mergeOverlay } from './overlay.js'
import { readSentences, SENTENCES } from './sentences.js'

// Writes src/gen: one module per proto package. `--if-stale` leaves it alone when nothing that it is made from has changed.
const GENERATED = path.join(import.meta.dirname, '../src/gen')
const STAMP = path.join(GENERATED, '.stamp')

const require = createRequire(import.meta.url)

function stampOfInputs(): string {
  const hash = createHash('sha256')
  for (const name of ['@grpc/grpc-js-xds', 'protobufjs']) hash.update(readFileSync(require.resolve(`${name}/package.json`)))
  for (const file of readdirSync(import.meta.dirname).sort())
    hash.update(file).update(readFileSync(path.join(import.meta.dirname, file)))
  for (const [folder, ending] of [
    [OWN_PROTOS, '.proto'],
    [OWN_PROTOS, '.json'],
    [SENTENCES, '.txt'],
  ] as const)
    for (const file of textFiles(folder, ending)) hash.update(file).update(readFileSync(path.join(folder, file)))
  return hash.digest('hex')
}

function generate(): number {
  const root = loadApi()
  mergeOverlay(root)
  root.resolveAll()
  const sentences = readSentences()
  const packages = new Map<string, (protobuf.Type | protobuf.Enum | protobuf.Service)[]>()
  for (const type of typesOf(root)) {
    const name = packageOf(type)
    if (LEFT_OUT.test(name)) continue
    packages.set(name, [...(packages.get(name) ?? []), type])
  }
  const files = new Map([...packages].map(([name, types]) => [`${modulePath(name)}.ts`, emitModule(name, types, sentences)]))
  if (sentences.unused.length > 0) throw new Error(`sentences about fields that do not exist: ${sentences.unused.join(', ')}`)
  files.set('all.ts', emitAll([...packages.values()].flat()))
  writeAll(files)
  return files.size
}

/** Touches only what differs, so that a watcher or a test run beside it never sees a folder half empty. */
function writeAll(files: ReadonlyMap<string, string>): void {
  mkdirSync(GENERATED, { recursive: true })
  for (const name of readdirSync(GENERATED, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.ts') && !files.has(name.replaceAll(path.sep, '/'))) rmSync(path.join(GENERATED, name))
  }
  for (const [name, text] of files) {
    const file = path.join(GENERATED, name)
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

const stamp = stampOfInputs()
if (!process.argv.includes('--if-stale') || !existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== stamp) {
  const started = performance.now()
  const count = generate()
  writeFileSync(STAMP, stamp)
  console.log(`src/gen: ${count} modules in ${Math.round(performance.now() - started)} ms`)
}
