import { createWatch } from '@heddle/runtime'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createIdentitySecrets, createProxy, type WorkloadIdentity } from '../src/index.js'
import { type Identity, issue, spiffe } from './certificates.js'
import { ask, httpManager, later, listener, routes, staticCluster, until, upstream } from './support.js'

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3'
/** As istiod writes it: secrets come from the agent beside the proxy, here the proxy's own SecretSource. */
const SDS = {
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }],
  },
  resource_api_version: 'V3',
}

const tlsContext = (sans: readonly string[]): object => ({
  tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
  alpn_protocols: ['http/1.1'],
  tls_certificate_sds_secret_configs: [{ name: 'default', sds_config: SDS }],
  combined_validation_context: {
    default_validation_context: { match_subject_alt_names: sans.map((exact) => ({ exact })) },
    validation_context_sds_secret_config: { name: 'ROOTCA', sds_config: SDS },
  },
})

// Keys are made in each test.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

let root: Identity
let newRoot: Identity
beforeAll(() => {
  root = issue({ commonName: 'root', ca: true })
  newRoot = issue({ commonName: 'new root', ca: true })
})

const identityOf = (name: string, issuer: Identity, trust: readonly Identity[]): WorkloadIdentity => {
  const { certificate, key } = issue({ commonName: '', uris: [spiffe(name)] }, issuer)
  return { certificateChain: certificate, privateKey: key, trustBundle: trust.map((one) => one.certificate).join('\n') }
}

async function start(identity: ReturnType<typeof createWatch<WorkloadIdentity | undefined>>, resources: object) {
  const proxy = createProxy({
    bootstrap: { static_resources: resources },
    secrets: createIdentitySecrets(identity),
    drainTimeMs: 200,
  })
  await proxy.start()
  later(() => proxy.close())
  return proxy
}

/** client -> (plain) client's proxy -> (mTLS) server's proxy -> (plain) app */
async function mesh(
  clientIdentity: ReturnType<typeof createWatch<WorkloadIdentity | undefined>>,
  allowed: readonly string[] = [],
) {
  const app = await upstream((request, response) => response.end(String(request.headers['x-forwarded-client-cert'])))
  const serverIdentity = createWatch<WorkloadIdentity | undefined>(identityOf('server', root, [root]))
  const inbound = httpManager(
    { route_config: routes([{ match: { prefix: '/' }, route: { cluster: 'app' } }]) },
    {
      stat_prefix: 'inbound',
      forward_client_cert_details: 'APPEND_FORWARD',
      set_current_client_cert_details: { subject: true, uri: true },
    },
  )
  const server = await start(serverIdentity, {
    clusters: [staticCluster('app', [app])],
    listeners: [
      {
        ...listener('inbound', inbound),
        filter_chains: [
          {
            filters: [inbound],
            transport_socket: {
              name: 'envoy.transport_sockets.tls',
              typed_config: {
                '@type': `${TLS}.DownstreamTlsContext`,
                common_tls_context: tlsContext(allowed),
                require_client_certificate: true,
              },
            },
          },
        ],
      },
    ],
  })
  const inboundPort = server.listeners[0]?.address.port ?? 0
  const client = await start(clientIdentity, {
    clusters: [
      staticCluster('server', [inboundPort], {
        // A connection for each request: each shakes hands with the certificates of its moment.
        typed_extension_protocol_options: {
          [HTTP_OPTIONS]: {
            '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
            common_http_protocol_options: { max_requests_per_connection: 1 },
            explicit_http_config: { http_protocol_options: {} },
          },
        },
        transport_socket: {
          name: 'envoy.transport_sockets.tls',
          typed_config: {
            '@type': `${TLS}.UpstreamTlsContext`,
            common_tls_context: tlsContext([spiffe('server')]),
            sni: 'outbound_.80_._.server',
          },
        },
      }),
    ],
    listeners: [
      listener('outbound', httpManager({ route_config: routes([{ match: { prefix: '/' }, route: { cluster: 'server' } }]) })),
    ],
  })
  return { client, server, serverIdentity, inboundPort, outboundPort: () => client.listeners[0]?.address.port ?? 0 }
}

describe('mTLS between two proxies', () => {
  it('carries the identity of the caller to the app, and refuses plaintext', async () => {
    const { outboundPort, inboundPort } = await mesh(
      createWatch<WorkloadIdentity | undefined>(identityOf('client', root, [root])),
    )
    const answer = await ask(outboundPort(), '/')
    expect(answer.status).toBe(200)
    expect(answer.body).toContain(`URI=${spiffe('client')}`)
    expect(answer.body).toContain(`By=${spiffe('server')}`)
    await expect(ask(inboundPort, '/')).rejects.toThrow()
  })

  it('lets nobody in whose certificate is of another root, or whose name is not wanted', async () => {
    const stranger = await mesh(createWatch<WorkloadIdentity | undefined>(identityOf('client', newRoot, [root])))
    expect((await ask(stranger.outboundPort(), '/')).status).toBe(503)
    const unwanted = await mesh(createWatch<WorkloadIdentity | undefined>(identityOf('client', root, [root])), [spiffe('other')])
    expect((await ask(unwanted.outboundPort(), '/')).status).toBe(503)
  })

  it('goes on over a change of root, certificates first trusted, then used', async () => {
    const clientIdentity = createWatch<WorkloadIdentity | undefined>(identityOf('client', root, [root]))
    const { outboundPort, serverIdentity } = await mesh(clientIdentity)
    const statuses: number[] = []
    const step = async (): Promise<void> => void statuses.push((await ask(outboundPort(), '/')).status)
    await step()
    serverIdentity.set(identityOf('server', root, [root, newRoot]))
    clientIdentity.set(identityOf('client', root, [root, newRoot]))
    await step()
    clientIdentity.set(identityOf('client', newRoot, [root, newRoot]))
    await step()
    serverIdentity.set(identityOf('server', newRoot, [root, newRoot]))
    await step()
    clientIdentity.set(identityOf('client', root, [root, newRoot]))
    serverIdentity.set(identityOf('server', newRoot, [newRoot]))
    await step()
    expect(statuses).toEqual([200, 200, 200, 200, 503])
  })

  it('waits for the first certificate before it listens', async () => {
    const clientIdentity = createWatch<WorkloadIdentity | undefined>(undefined)
    const { client, outboundPort } = await mesh(clientIdentity)
    expect(client.ready.current).toBe(false)
    clientIdentity.set(identityOf('client', root, [root]))
    await until('the proxy is ready', () => client.ready.current)
    expect((await ask(outboundPort(), '/')).status).toBe(200)
  })
})
