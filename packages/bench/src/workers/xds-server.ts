import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createWatch } from '@heddle/runtime'
import { createSnapshotCache, createXdsServer } from '@heddle/xds-server'
import { createTlsCredentials, listenGrpc } from '@heddle/xds-server/grpc'

// usage: TYPE_URL (plain | FOLDER); FOLDER: certificate.pem, key.pem, roots.pem: mutual TLS. Says its port. On stdin `push JSON` sets all
// resources of the type, a list or one, and says when that began, in microseconds of the wall clock; `rest` lets go of what is not needed.

const [typeUrl = '', security = 'plain'] = process.argv.slice(2)
const cache = createSnapshotCache()
const server = createXdsServer({ resources: () => cache.watch('all') })

function credentials() {
  if (security === 'plain') return {}
  const read = (name: string): string => readFileSync(join(security, name), 'utf8')
  const identity = createWatch({ certificateChain: read('certificate.pem'), privateKey: read('key.pem') })
  const clientRoots = createWatch(read('roots.pem'))
  return { credentials: createTlsCredentials({ identity, clientRoots, requireClientCertificate: true }) }
}

const { port } = await listenGrpc(server, { address: '127.0.0.1:0', ...credentials() })
console.log(JSON.stringify({ port }))

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rest') {
    // Twice: what the first collection finds unused has native memory, which it lets go of a turn later.
    for (let i = 0; i < 2; i++) {
      globalThis.gc?.()
      await new Promise(setImmediate)
    }
    console.log('{}')
    continue
  }
  const resources = [JSON.parse(line.slice('push '.length)) as object | object[]].flat()
  const at = Math.round((performance.timeOrigin + performance.now()) * 1_000)
  cache.set('all', { groups: [{ id: 'all', resources: new Map([[typeUrl, resources]]) }] })
  console.log(JSON.stringify({ at }))
}
