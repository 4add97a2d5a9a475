import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createStore, defaultMeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { proxyFromJson, toJson, translate } from '@heddle/translator'
import { describe, expect, test } from 'vitest'
import { differences } from './canonical.js'

interface Case {
  id: string
  config: string
  meshConfig?: string
  proxies: { id: string }[]
  want: Record<string, Record<string, unknown[]>>
}

/** Cases in which every resource is what istiod gave. A case that is right and not here may be added. */
const knownGood = JSON.parse(readFileSync(new URL('known-good.json', import.meta.url), 'utf8')) as string[]

const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .filter((folder) => folder !== '')
  .map((folder) => join(folder, 'istiod.json.gz'))
  .find((path) => existsSync(path))

if (file === undefined) {
  test.skip('istiod cases: HEDDLE_CONFORMANCE names no folder with istiod.json.gz', () => {})
} else {
  const cases = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[]
  describe('what a real istiod gave', () => {
    for (const item of cases.filter(({ id }) => knownGood.includes(id))) {
      test(item.id, () => {
        const mesh = readMeshConfig(item.meshConfig ?? '{}')
        const store = createStore({ meshConfig: mesh.ok ? mesh.value : defaultMeshConfig })
        store.apply({ set: readYaml(item.config, { file: 'config.yaml' }).resources })
        for (const json of item.proxies) {
          const proxy = proxyFromJson(json)
          if (!proxy.ok) throw new Error(proxy.diagnostics[0]?.message)
          const got = JSON.parse(JSON.stringify(toJson(translate(store.snapshot(), proxy.value).resources))) as Record<
            string,
            unknown[]
          >
          expect(differences(item.want[json.id] ?? {}, got)).toEqual([])
        }
      })
    }
  })
}
