import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Diagnostic, Result } from '@heddle/runtime'
import type { MessageType } from '@heddle/xds-types'
import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { describe, expect, it } from 'vitest'
import { compileCluster } from '../src/config/cluster.js'
import { compileListener } from '../src/config/listener.js'
import { compileLoadAssignment } from '../src/config/load-assignment.js'
import { compileRouteConfiguration } from '../src/config/route-configuration.js'
import { testDeps } from '../src/testing.js'

interface IstiodCase {
  id: string
  want: Record<string, Record<string, readonly (object & { name?: string; cluster_name?: string })[]>>
}

const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'istiod.json.gz'))
  .find((path) => existsSync(path))
if (file === undefined) console.log('istiod conformance skipped: HEDDLE_CONFORMANCE names no folder with istiod.json.gz')

const deps = testDeps()
const COMPILERS: Readonly<Record<string, (json: object, path: string) => Result<unknown>>> = {
  listeners: (json, path) => compileListener(json, deps, path),
  routes: (json, path) => compileRouteConfiguration(json, deps, path),
  clusters: (json, path) => compileCluster(json, deps, path),
  endpoints: (json, path) => compileLoadAssignment(json, path),
}

/** Shares of what istiod sends that must compile; the rest must be refused with a path. */
const AT_LEAST: Readonly<Record<string, number>> = { listeners: 0.98, routes: 1, clusters: 0.98, endpoints: 0.99 }

const TYPES: readonly (readonly [kind: string, type: MessageType<never>])[] = [
  ['listeners', Listener as MessageType<never>],
  ['routes', RouteConfiguration as MessageType<never>],
  ['clusters', Cluster as MessageType<never>],
  ['endpoints', ClusterLoadAssignment as MessageType<never>],
]

describe.skipIf(file === undefined)('what istiod sends', () => {
  const cases = file === undefined ? [] : (JSON.parse(gunzipSync(readFileSync(file)).toString()) as IstiodCase[])

  it('breaks no rule of the API, but for what gRPC gets, which does not look', () => {
    const broken = new Set<string>()
    for (const { id, want } of cases)
      for (const resources of Object.values(want))
        for (const [kind, type] of TYPES)
          for (const resource of resources[kind] ?? []) {
            const decoded = type.fromJson(resource, knownTypes)
            expect(decoded.diagnostics).toEqual([])
            if (decoded.ok && type.validate(decoded.value, knownTypes).length > 0) broken.add(id)
          }
    expect([...broken]).toEqual(['proxyless-grpc'])
  })

  it.each(Object.keys(COMPILERS))('%s compile, or are refused with the path of a field', (kind) => {
    let total = 0
    let compiled = 0
    const refused = new Map<string, number>()
    for (const { want } of cases) {
      for (const resources of Object.values(want)) {
        for (const resource of resources[kind] ?? []) {
          total++
          const result = COMPILERS[kind]!(resource, resource.name ?? '')
          if (result.ok) compiled++
          else for (const key of result.diagnostics.map(shape)) refused.set(key, (refused.get(key) ?? 0) + 1)
          if (!result.ok) expect(result.diagnostics.every(({ path }) => path !== '')).toBe(true)
        }
      }
    }
    const list = [...refused].sort((a, b) => b[1] - a[1]).map(([what, count]) => `  ${count} ${what}`)
    console.log(`istiod ${kind}: ${compiled}/${total} compile\n${list.join('\n')}`)
    expect(compiled / total).toBeGreaterThanOrEqual(AT_LEAST[kind]!)
  })
})

function shape({ path, message }: Diagnostic): string {
  return `${path.replace(/\[\d+\]/g, '[]').replace(/^[^.]*\|[^.]*(\.[a-z-]+)*/, '')}: ${message}`.slice(-160)
}
