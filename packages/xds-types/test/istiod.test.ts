import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { knownTypes, resourceTypes } from '../src/known.js'
import { encodeResource } from '../src/resources/index.js'

// What a real istiod sends, as canonical JSON. The data lies outside of the repository.
const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .map((folder) => path.join(folder, 'istiod.json.gz'))
  .find((name) => existsSync(name))
if (file === undefined) console.log('skipped: HEDDLE_CONFORMANCE names no folder with istiod.json.gz')

interface Case {
  readonly id: string
  readonly want: Readonly<Record<string, Readonly<Record<string, readonly (object | string)[]>>>>
}

const TYPES: Readonly<Record<string, string>> = {
  listeners: 'Listener',
  routes: 'RouteConfiguration',
  clusters: 'Cluster',
  endpoints: 'ClusterLoadAssignment',
  secrets: 'Secret',
}
/** Listeners and clusters for proxyless gRPC are not for Envoy, and leave out what gRPC does not read. */
const PROXYLESS = /^proxyless-/
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.skipIf(file === undefined)('every resource of a real istiod', () => {
  const cases = file === undefined ? [] : (JSON.parse(gunzipSync(readFileSync(file)).toString()) as readonly Case[])

  it('is read, keeps the rules, goes over the wire and is printed as it was', () => {
    let count = 0
    for (const { id, want } of cases) {
      for (const kinds of Object.values(want)) {
        for (const [kind, resources] of Object.entries(kinds)) {
          const type = resourceTypes.find(({ shortName }) => shortName === TYPES[kind])
          const message = knownTypes.find(type?.typeUrl ?? '')
          if (type === undefined || message === undefined) throw new Error(`${id}: ${kind}`)
          for (const resource of resources) {
            // Secrets are listed by name only.
            if (typeof resource === 'string') continue
            const read = message.fromJson(resource, knownTypes)
            expect(read.diagnostics, id).toEqual([])
            if (!read.ok) continue
            if (!PROXYLESS.test(id)) expect(message.validate(read.value, knownTypes), id).toEqual([])
            const encoded = encodeResource(type, read.value as object)
            const decoded = encoded.ok ? type.decode(encoded.value.bytes) : encoded
            expect(decoded.diagnostics, id).toEqual([])
            expect(decoded.ok && plain(message.toJson(decoded.value, { registry: knownTypes })), id).toEqual(resource)
            count++
          }
        }
      }
    }
    expect(count).toBeGreaterThan(1000)
  })
})
