import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { knownTypes, resourceTypes } from '../src/known.js'
import { encodeResource } from '../src/resources/index.js'
import { envoySays, tryEnvoy } from './stock-envoy.js'

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
/** For proxyless gRPC; they leave out what gRPC does not read. Stock Envoy refuses them too. */
const REFUSED = [
  'listeners rye.pantry.svc.cluster.local:7070: api_listener.api_listener.stat_prefix',
  'listeners xds.istio.io/grpc/lds/inbound/0.0.0.0:7070: filter_chains[0].filters[0].typed_config.stat_prefix',
  'clusters outbound|7070||rye.pantry.svc.cluster.local: transport_socket.typed_config.common_tls_context.combined_validation_context.validation_context_sds_secret_config',
]
/** Stock Envoy has no API listener outside of Envoy Mobile: what is in one stands in a filter chain instead. */
function asListener(resource: { readonly api_listener?: { readonly api_listener?: object } }): object {
  const config = resource.api_listener?.api_listener
  if (config === undefined) return resource
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } }
  return { name: 'l', address, filter_chains: [{ filters: [{ name: 'hcm', typed_config: config }] }] }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.skipIf(file === undefined)('every resource of a real istiod', () => {
  const cases = file === undefined ? [] : (JSON.parse(gunzipSync(readFileSync(file)).toString()) as readonly Case[])

  it('is read, keeps the rules, goes over the wire and is printed as it was', () => {
    let count = 0
    const refused = new Map<string, readonly [kind: string, resource: object]>()
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
            const [problem] = message.validate(read.value, knownTypes)
            if (problem !== undefined)
              refused.set(`${kind} ${type.nameOf(read.value as object)}: ${problem.path}`, [kind, resource])
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
    expect([...refused.keys()]).toEqual(REFUSED)
    if (!tryEnvoy) return
    for (const [name, [kind, resource]] of refused)
      expect(envoySays({ static_resources: { [kind]: [asListener(resource)] } }), name).toContain(
        'Proto constraint validation failed',
      )
  })
})
