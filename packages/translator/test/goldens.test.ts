import { readdirSync, readFileSync } from 'node:fs'
import { createStore, defaultMeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { pilotFeatures, proxyFromJson, toJson, translate } from '@heddle/translator'
import { expect, test } from 'vitest'
import { canonical } from './canonical.js'

type Resources = Readonly<Record<string, readonly object[]>>

interface Golden {
  /** Documents, each as JSON. */
  readonly config: readonly string[]
  readonly meshConfig?: string
  /** Of istiod: its switches. */
  readonly env?: Readonly<Record<string, string>>
  readonly proxies: readonly { readonly id: string }[]
  /** What an istiod (1.32-dev, 2026-08) gave for this input, as far as the case is about it. Never made from our own output. */
  readonly want: Readonly<Record<string, Resources>>
}

const folder = new URL('goldens/', import.meta.url)

/** The translation of one golden file, as it prints. */
function translated({ config, meshConfig, env = {}, proxies }: Golden): Readonly<Record<string, Resources>> {
  const mesh = readMeshConfig(meshConfig ?? '{}')
  const store = createStore({ allocateAddresses: false, meshConfig: mesh.ok ? mesh.value : defaultMeshConfig })
  store.apply({ set: readYaml(config.join('\n---\n'), { file: 'golden.yaml' }).resources })
  const features = pilotFeatures(env)
  return Object.fromEntries(
    proxies.map((json) => {
      const proxy = proxyFromJson(json)
      if (!proxy.ok) throw new Error(proxy.diagnostics[0]?.message)
      return [
        json.id,
        JSON.parse(JSON.stringify(toJson(translate(store.snapshot(), proxy.value, { features }).resources))) as Resources,
      ]
    }),
  )
}

const nameOf = (resource: object): string => {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return name ?? cluster_name ?? ''
}

for (const file of readdirSync(folder).sort()) {
  const golden = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden
  test(`istiod's output: ${file.replace('.json', '')}`, () => {
    const got = translated(golden)
    for (const [proxy, types] of Object.entries(golden.want)) {
      for (const [type, wanted] of Object.entries(types)) {
        const own = new Map((got[proxy]?.[type] ?? []).map((r) => [nameOf(r), canonical(r)]))
        for (const resource of wanted) expect(own.get(nameOf(resource)), `${type} ${nameOf(resource)}`).toBe(canonical(resource))
      }
    }
  })
}
