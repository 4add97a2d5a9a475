import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { credentials } from '@grpc/grpc-js'
import { createWorkloadCertificate } from '@heddle/ca'
import { createCertificateClient } from '@heddle/ca/grpc'
import { createGrpcTransport, createIdentitySecrets, createProxy } from '@heddle/proxy-core'
import { systemClock as clock, createJsonLogger, systemRandom as random } from '@heddle/runtime'
import { nodeOf, variable } from './environment.js'

// A sidecar, or a gateway: a certificate for this workload, and the proxy that the control plane configures.
const address = variable('DISCOVERY_ADDRESS')
const root = readFileSync(variable('ROOT_CERT_FILE'), 'utf8')
// The name in the control plane's certificate; its address is an IP, which TLS cannot ask for.
const serverName = 'istiod.istio-system.svc'
const token = (): Promise<string> => readFile(variable('TOKEN_FILE'), 'utf8')

const client = createCertificateClient({
  address,
  credentials: credentials.createSsl(Buffer.from(root)),
  channelOptions: { 'grpc.ssl_target_name_override': serverName },
  token,
  clock,
})
const certificate = createWorkloadCertificate({ clock, random, request: client.request })
await certificate.ready()

const proxy = createProxy({
  bootstrap: {
    node: nodeOf(variable('PROXY_TYPE')),
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ google_grpc: { target_uri: address, stat_prefix: 'xds' } }],
      },
      lds_config: { ads: {}, resource_api_version: 'V3' },
      cds_config: { ads: {}, resource_api_version: 'V3' },
    },
  },
  secrets: createIdentitySecrets(certificate.identity),
  logger: createJsonLogger((line) => process.stdout.write(line), clock),
  transport: createGrpcTransport({
    target: address,
    tls: () => ({ rootCertificates: root, serverName }),
    metadata: async () => ({ authorization: `Bearer ${await token()}` }),
  }),
})
await proxy.start()
if (!proxy.ready.current) await new Promise((resolve) => proxy.ready.subscribe(resolve))
const { address: host, port } = proxy.adminAddress ?? { address: '', port: 0 }
process.send?.({ admin: `${host}:${port}` })

const stop = (): void => {
  certificate.close()
  client.close()
  void proxy.close().then(() => process.exit(0))
}
process.on('SIGTERM', stop)
process.on('disconnect', () => process.exit(0))
