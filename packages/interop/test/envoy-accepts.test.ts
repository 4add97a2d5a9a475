import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createStore, defaultMeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { proxyFromJson, type ResourcesJson, toJson, translate } from '@heddle/translator'
import { afterAll, expect, test } from 'vitest'
import { staticBootstrap, withoutIstioFilters } from '../src/static-bootstrap.js'
import { findEnvoy } from '../src/tools.js'

interface Case {
  readonly id: string
  readonly config: string
  readonly meshConfig?: string
  readonly proxies: readonly {
    readonly id: string
    readonly type?: string
    readonly metadata?: Readonly<Record<string, unknown>>
  }[]
  readonly want: Readonly<Record<string, ResourcesJson>>
}

const envoy = findEnvoy()
const data = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'istiod.json.gz'))
  .find(existsSync)
const required = process.env['HEDDLE_INTEROP'] !== undefined
if (data === undefined) console.log('skipped: HEDDLE_CONFORMANCE names no folder with istiod.json.gz')
else if (envoy.version === undefined && !required) console.log('skipped: no stock Envoy; scripts/install.sh brings it')

const folder = mkdtempSync(join(tmpdir(), 'heddle-validate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
/** What Envoy has against a bootstrap; undefined: nothing. */
function envoySays(bootstrap: object): Promise<string | undefined> {
  const file = join(folder, `${++files}.json`)
  writeFileSync(file, JSON.stringify(bootstrap))
  return new Promise((resolve, reject) => {
    const child = spawn(envoy.path, ['--mode', 'validate', '-c', file, '-l', 'error', '--concurrency', '1'])
    let output = ''
    child.stderr.on('data', (text) => (output += String(text)))
    child.on('error', reject)
    child.on('exit', (status) => resolve(status === 0 ? undefined : output || `exit ${status}`))
  })
}

/** What the translator makes of a case for each sidecar and router on stock Envoy, and what istiod made. */
function* proxiesOf({
  id,
  config,
  meshConfig = '',
  proxies,
  want,
}: Case): Iterable<{ id: string; ours: ResourcesJson; theirs: ResourcesJson | undefined }> {
  const mesh = readMeshConfig(meshConfig)
  const store = createStore({ meshConfig: mesh.ok ? mesh.value : defaultMeshConfig, allocateAddresses: false })
  store.apply({ set: readYaml(config, { file: id }).resources })
  for (const json of proxies) {
    if (json.type === 'waypoint' || json.metadata?.['GENERATOR'] === 'grpc') continue
    const proxy = proxyFromJson({ ...json, metadata: { ...json.metadata, HEDDLE_STOCK_ENVOY: 'true' } })
    if (!proxy.ok) throw new Error(`${id} ${json.id} is no proxy`)
    yield { id: `${id} ${json.id}`, ours: toJson(translate(store.snapshot(), proxy.value).resources), theirs: want[json.id] }
  }
}

test.skipIf(data === undefined || (envoy.version === undefined && !required))(
  "stock Envoy accepts what every sidecar and router of istiod's cases gets, but where it refuses istiod's own",
  async () => {
    const read = JSON.parse(gunzipSync(readFileSync(data ?? '')).toString()) as readonly Case[] | { cases: readonly Case[] }
    const waiting = ('cases' in read ? read.cases : read).flatMap((one) => [...proxiesOf(one)])
    expect(waiting.length).toBeGreaterThan(0)
    const refused: string[] = []
    const excused: string[] = []
    const work = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
        const why = await envoySays(staticBootstrap(one.ours))
        if (why === undefined) continue
        const theirs = one.theirs === undefined ? undefined : await envoySays(staticBootstrap(withoutIstioFilters(one.theirs)))
        if (theirs === undefined) refused.push(`${one.id}: ${why.slice(0, 400)}`)
        else excused.push(`${one.id}: ${theirs.slice(0, 200)}`)
      }
    }
    await Promise.all([work(), work()])
    if (excused.length > 0) console.log(`Envoy refuses what istiod gives these as well:\n${excused.join('\n')}`)
    expect(refused).toEqual([])
  },
  300_000,
)
