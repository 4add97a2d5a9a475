import { readFileSync } from 'node:fs'
import { join } from 'node:path'

// usage: ours | static | protobuf-es. Imports it, and tells what that cost. No TypeScript here: nothing else is to be loaded.
const [what = '', peers = ''] = process.argv.slice(2)
const api = '@heddle/xds-types/envoy'
const imports = {
  async ours() {
    const { Cluster } = await import(`${api}/config/cluster/v3`)
    await Promise.all([
      import(`${api}/config/endpoint/v3`),
      import(`${api}/config/listener/v3`),
      import(`${api}/config/route/v3`),
      import(`${api}/extensions/transport_sockets/tls/v3`),
      import(`${api}/extensions/filters/network/http_connection_manager/v3`),
    ])
    return () => Cluster.encode({ name: 'a' })
  },
  async static() {
    const { envoy } = await import(join(peers, 'static.js'))
    const { Cluster } = envoy.config.cluster.v3
    return () => Cluster.encode(Cluster.fromObject({ name: 'a' })).finish()
  },
  async 'protobuf-es'() {
    const { createFileRegistry, fromBinary, fromJson, toBinary } = await import('@bufbuild/protobuf')
    const { FileDescriptorSetSchema } = await import('@bufbuild/protobuf/wkt')
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(peers, 'api.binpb'))))
    const schema = registry.getMessage('envoy.config.cluster.v3.Cluster')
    return () => toBinary(schema, fromJson(schema, { name: 'a' }))
  },
}

const cpu = process.cpuUsage()
const begin = performance.now()
const encode = await imports[what]()
const milliseconds = performance.now() - begin
const { user, system } = process.cpuUsage(cpu)
const rssMegabytes = process.memoryUsage().rss / 1e6
console.log(JSON.stringify({ milliseconds, cpuMicros: user + system, rssMegabytes, works: encode().length === 3 }))
