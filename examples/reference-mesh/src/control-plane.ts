import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createFolderStore, createJwtAuthenticator, createSelfSignedAuthority, createServerCertificate } from '@heddle/ca'
import { createCertificateService, createServerCredentials } from '@heddle/ca/grpc'
import { createStore } from '@heddle/config-model'
import { watchDirectory } from '@heddle/config-model/sources'
import {
  systemClock as clock,
  createWatch,
  DEFAULT_TRUST_DOMAIN,
  formatSpiffeId,
  ok,
  systemRandom as random,
  type Watch,
} from '@heddle/runtime'
import { createTranslator, proxyFromNode } from '@heddle/translator'
import { createXdsServer, type NodeInfo, requireNodeIdentity } from '@heddle/xds-server'
import { listenGrpc } from '@heddle/xds-server/grpc'
import type { ResourceSet } from '@heddle/xds-types'
import { variable } from './environment.js'
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from './pods.js'

// A control plane in one file: a folder of YAML -> store -> translation -> xDS, and a certificate authority beside it.

/** What `/debug/syncz` answers. `settled`: the last revision that every connected proxy has answered. */
export interface SyncStatus {
  settled: number
  proxies: { id: string; synced: boolean }[]
}

const runFolder = variable('RUN_FOLDER')

// Configuration: the store follows the folder, and the translator follows the store. A change costs what it touches.
const store = createStore()
const folder = await watchDirectory(variable('CONFIG_FOLDER'), { store, clock })
const translator = createTranslator(store.snapshot())
store.subscribe(translator.update)

// Identity: tokens of service accounts say who somebody is; certificates are issued for that and nothing else.
const authority = await createSelfSignedAuthority({ clock, store: createFolderStore(join(runFolder, 'ca')) })
const authenticate = createJwtAuthenticator({
  clock,
  jwks: () => JSON.parse(readFileSync(variable('JWKS_FILE'), 'utf8')),
  issuer: TOKEN_ISSUER,
  audiences: [TOKEN_AUDIENCE],
  trustDomain: DEFAULT_TRUST_DOMAIN,
})

// Discovery: each proxy gets what the translator makes for its node.
const xds = createXdsServer({
  resources: (node) => resourcesFor(node),
  admit: requireNodeIdentity(identityOf),
})

function resourcesFor(node: NodeInfo): Watch<ResourceSet | undefined> {
  const proxy = proxyFromNode(node)
  return proxy.ok ? translator.watch(proxy.value) : createWatch<ResourceSet | undefined>(undefined)
}

function identityOf({ metadata }: NodeInfo): string | undefined {
  const { NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount } = metadata ?? {}
  if (typeof namespace !== 'string' || typeof serviceAccount !== 'string') return undefined
  return formatSpiffeId({ trustDomain: DEFAULT_TRUST_DOMAIN, namespace, serviceAccount })
}

// One gRPC server with TLS for both; its own certificate renews itself.
const names = [{ dns: 'istiod.istio-system.svc' }, { ip: '127.0.0.1' }]
const certificate = createServerCertificate({ authority, names, clock, random })
const own = await certificate.ready()
const grpc = await listenGrpc(xds, {
  address: `127.0.0.1:${variable('GRPC_PORT')}`,
  credentials: createServerCredentials(certificate),
  authenticate: async (peer) => {
    const caller = await authenticate(peer)
    return caller.ok ? ok({ id: caller.value.identities[0] ?? '' }) : caller
  },
})
createCertificateService({ authority, authenticate, trustDomain: DEFAULT_TRUST_DOMAIN }).addTo(grpc.grpcServer)
writeFileSync(join(runFolder, 'root-cert.pem'), own.trustBundle)

// What the demo asks about.
let settled = 0
const settle = async (): Promise<void> => {
  const { revision } = store
  await xds.applied()
  settled = Math.max(settled, revision)
}
// After the sessions have heard of the new snapshot, which they do in the same turn.
store.subscribe(() => void Promise.resolve().then(settle))

// The barrier with an aborted signal tells who has answered by now.
const status = async (): Promise<SyncStatus> => {
  const { applied } = await xds.applied({ signal: AbortSignal.abort() })
  return {
    settled,
    proxies: [...xds.status()].map(({ nodeId = '', types }) => ({
      id: nodeId,
      synced: types.size > 0 && applied.includes(nodeId),
    })),
  }
}
const pages: Record<string, () => unknown> = {
  '/ready': () => 'ready',
  '/debug/syncz': status,
  '/debug/diagnostics': () => folder.diagnostics.current,
}
const http = createServer((request, response) => {
  const page = pages[request.url ?? '']
  if (page === undefined) return void response.writeHead(404).end(Object.keys(pages).join('\n'))
  void Promise.resolve(page()).then((value) => response.end(JSON.stringify(value, undefined, 2)))
})
http.listen(Number(variable('HTTP_PORT')), '127.0.0.1', () => process.send?.({ grpc: grpc.port }))

const stop = (): void => {
  folder.close()
  certificate.close()
  http.close()
  void grpc.close().then(() => process.exit(0))
}
process.on('SIGTERM', stop)
process.on('disconnect', () => process.exit(0))
