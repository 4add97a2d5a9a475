import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStore, readYaml } from '@heddle/config-model'
import { proxyFromJson, toJson, translate } from '@heddle/translator'
import { describe, expect, test } from 'vitest'

interface Case {
  id: string
  config: string
  proxy: { ConfigNamespace: string }
  routeName: string
  /** null: no virtual host has the domain. */
  expectedVirtualHostClusters: Record<string, string[] | null> | null
}

interface Routes {
  name: string
  virtual_hosts: {
    domains: string[]
    routes?: { route?: { cluster?: string; weighted_clusters?: { clusters: { name: string }[] } } }[]
  }[]
}

const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .filter((folder) => folder !== '')
  .map((folder) => join(folder, 'sidecar-routes.json'))
  .find((path) => existsSync(path))

if (file === undefined) {
  test.skip('sidecar routes: HEDDLE_CONFORMANCE names no folder with sidecar-routes.json', () => {})
} else {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[]
  describe('clusters of sidecar routes', () => {
    test.each(cases.map((c) => [c.id, c] as const))('%s', (_, item) => {
      const store = createStore()
      store.apply({ set: readYaml(item.config, { file: 'config.yaml' }).resources })
      const proxy = proxyFromJson({ id: 'a', namespace: item.proxy.ConfigNamespace, ip: '1.1.1.1' })
      if (!proxy.ok) throw new Error(proxy.diagnostics[0]?.message)
      const all = toJson(translate(store.snapshot(), proxy.value).resources).routes as unknown as Routes[]
      const hosts = all.find((r) => r.name === item.routeName)?.virtual_hosts ?? []
      for (const [domain, want] of Object.entries(item.expectedVirtualHostClusters ?? {})) {
        const host = hosts.find((h) => h.domains.includes(domain))
        const clusters = host?.routes?.flatMap(
          ({ route }) => route?.cluster ?? route?.weighted_clusters?.clusters.map((c) => c.name) ?? [],
        )
        expect(clusters ?? null, domain).toEqual(want)
      }
    })
  })
}
