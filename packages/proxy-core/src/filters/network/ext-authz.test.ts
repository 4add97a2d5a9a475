import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock, createMemoryLogger } from '@heddle/runtime/testing'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { CheckRequest, CheckResponse } from '@heddle/xds-types/envoy/service/auth/v3'
import { describe, expect, it } from 'vitest'
import { compileListener } from '../../config/listener.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { Connection } from '../../net/connection.js'
import { createListenerSession, type ListenerSession } from '../../net/listener.js'
import { createConnectionPair } from '../../net/memory.js'
import type { Refusal } from '../../net/terminal.js'
import { createListenerStats } from '../../observe/stats.js'
import { testDeps } from '../../testing.js'
import type { GrpcAnswer, GrpcClient } from '../../upstream/grpc-client.js'

const TYPE = 'type.googleapis.com/envoy.extensions.filters.network'
const GRPC = { envoy_grpc: { cluster_name: 'auth' } }
const MARKED = {
  filter: 'envoy.filters.network.rbac',
  path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
  value: { string_match: { prefix: 'istio-ext-authz' } },
}

function compileWith(extAuthz: object, before: readonly object[] = []) {
  const filters = [
    ...before,
    { name: 'authz', typed_config: { '@type': `${TYPE}.ext_authz.v3.ExtAuthz`, stat_prefix: 'tcp.', ...extAuthz } },
    { name: 'tcp', typed_config: { '@type': `${TYPE}.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: 'app' } },
  ]
  const address = { socket_address: { address: '10.0.0.1', port_value: 80 } }
  return compileListener({ name: 'in', address, filter_chains: [{ filters }] } as Listener, testDeps(), '')
}

function rbac(action: 'ALLOW' | 'DENY', rules: 'rules' | 'shadow_rules', prefix = '10.0.0.0/8'): object {
  const [address_prefix, length] = prefix.split('/')
  const principals = [{ direct_remote_ip: { address_prefix, prefix_len: Number(length) } }]
  const policies = { 'istio-ext-authz-opa-ns[a]-policy[b]-rule[0]': { permissions: [{ any: true }], principals } }
  const typed_config = {
    '@type': `${TYPE}.rbac.v3.RBAC`,
    stat_prefix: 'tcp.',
    shadow_rules_stat_prefix: 'istio_ext_authz_',
    [rules]: { action, policies },
  }
  return { name: 'rbac', typed_config }
}

/** A session of a listener with the filter, and a service that answers when it is told to. */
function world(extAuthz: object, before: readonly object[] = []) {
  const clock = createFakeClock()
  const logger = createMemoryLogger()
  const stats = createMetricsRegistry()
  const asked: CheckRequest[] = []
  const answers: ((answer: GrpcAnswer) => void)[] = []
  let cancelled = 0
  const grpc: GrpcClient = {
    call(_, message) {
      const decoded = CheckRequest.decode(message)
      if (decoded.ok) asked.push(decoded.value)
      return { done: new Promise((resolve) => answers.push(resolve)), cancel: () => void cancelled++ }
    },
    stream: () => {
      throw new Error('only calls')
    },
  }
  const served: Connection[] = []
  const refused: (Refusal | undefined)[] = []
  const sessionOf = (config: object): ListenerSession => {
    const compiled = compileWith(config, before)
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
    return createListenerSession({
      ...{ listener: compiled.value, clock, logger, stats: createListenerStats(stats, 'in') },
      tls: { accept: () => Promise.reject(new Error('no TLS')), connect: () => Promise.reject(new Error('no TLS')) },
      authorizers: (chain) =>
        chain.authorizers.map((each) =>
          each.create({ stats, logger, grpc: () => grpc, node: { id: '', cluster: '', metadata: { LABELS: { app: 'x' } } } }),
        ),
      terminal: () => ({
        serve(connection) {
          served.push(connection)
          return { retire() {} }
        },
        refused: (_, __, why) => void refused.push(why),
        ...{ adopt: () => false, connections: 0, drain() {}, destroy() {} },
      }),
    })
  }
  const session = sessionOf(extAuthz)
  return {
    ...{ asked, served, refused, session, sessionOf, clock },
    cancelled: () => cancelled,
    async connect(): Promise<Connection> {
      const [client, server] = createConnectionPair({ address: '10.0.0.9', port: 1234 }, { address: '10.0.0.1', port: 80 })
      client.handle({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
      session.accept(server)
      await clock.advanceAsync(0)
      return server
    },
    async answer(response: CheckResponse | { code: number }): Promise<void> {
      const failed = 'code' in response
      answers.shift()!({
        code: failed ? response.code : 0,
        message: failed ? 'no' : '',
        trailers: createHeaderMap(),
        ...(!failed && { response: CheckResponse.encode(response) }),
      })
      await clock.advanceAsync(0)
    },
    counts: () =>
      Object.fromEntries(
        [...stats.families()]
          .filter(({ name }) => name.startsWith('envoy_ext_authz'))
          .flatMap(({ name, series }) =>
            [...series()].map(([labels, metric]) => {
              expect(labels).toEqual(['tcp'])
              return [name.replace('envoy_ext_authz_', ''), 'value' in metric && metric.value]
            }),
          ),
      ),
  }
}

describe('network ext_authz', () => {
  it('serves a connection once the service has let it in, and tells the service who it is', async () => {
    const { asked, served, connect, answer, counts } = world({
      grpc_service: GRPC,
      bootstrap_metadata_labels_key: 'LABELS',
      include_tls_session: true,
    })
    const connection = await connect()
    expect([served.length, counts()]).toEqual([0, { active: 1, total: 1 }])
    expect(asked).toEqual([
      {
        attributes: {
          source: { address: { socket_address: { address: '10.0.0.9', port_value: 1234 } } },
          destination: { address: { socket_address: { address: '10.0.0.1', port_value: 80 } }, labels: { app: 'x' } },
        },
      },
    ])
    await answer({ status: { code: 0 }, dynamic_metadata: { user: 'ann' } })
    expect(served).toEqual([connection])
    expect(connection.metadata?.get('envoy.filters.network.ext_authz')).toEqual({ user: 'ann' })
    expect(counts()).toEqual({ active: 0, total: 1, ok: 1 })
  })

  it('closes what the service denies, and logs it with its flag', async () => {
    const { served, refused, connect, answer, counts, session } = world({ grpc_service: GRPC, failure_mode_allow: true })
    const connection = await connect()
    await answer({ status: { code: 7 } })
    expect([served.length, connection.closed, session.connections]).toEqual([0, true, 0])
    expect(refused).toEqual([{ flag: 'UAEX', details: 'ext_authz_denied' }])
    expect(counts()).toEqual({ active: 0, total: 1, denied: 1, cx_closed: 1 })
  })

  it.each([false, true])('failure_mode_allow %j decides where the service does not', async (failure_mode_allow) => {
    const { served, connect, answer, counts } = world({ grpc_service: GRPC, failure_mode_allow })
    const connection = await connect()
    await answer({ code: 14 })
    expect([served.length === 1, connection.closed]).toEqual([failure_mode_allow, !failure_mode_allow])
    const outcome = failure_mode_allow ? { failure_mode_allowed: 1 } : { cx_closed: 1 }
    expect(counts()).toEqual({ active: 0, total: 1, error: 1, ...outcome })
  })

  it("Istio's CUSTOM: the service is asked about connections that the shadow rules of RBAC mark", async () => {
    const config = { grpc_service: GRPC, filter_enabled_metadata: MARKED }
    const marked = world(config, [rbac('DENY', 'shadow_rules')])
    await marked.connect()
    expect([marked.asked.length, marked.served.length]).toEqual([1, 0])
    const other = world(config, [rbac('DENY', 'shadow_rules', '192.168.0.0/16')])
    await other.connect()
    expect([other.asked.length, other.served.length, other.counts()]).toEqual([0, 1, { active: 0, disabled: 1 }])
  })

  it('is not asked about what RBAC refuses', async () => {
    const { asked, connect } = world({ grpc_service: GRPC }, [rbac('DENY', 'rules')])
    const connection = await connect()
    expect([asked.length, connection.closed]).toEqual([0, true])
  })

  it('gives up the call when the client does', async () => {
    const { served, cancelled, connect, clock, counts } = world({ grpc_service: GRPC })
    const connection = await connect()
    connection.destroy()
    await clock.advanceAsync(0)
    expect([served.length, cancelled(), counts()]).toEqual([0, 1, { active: 0, total: 1 }])
  })

  it('asks again where the listener has been replaced meanwhile', async () => {
    const { asked, served, connect, answer, session, sessionOf } = world({ grpc_service: GRPC })
    await connect()
    session.handOver(sessionOf({ grpc_service: GRPC, include_peer_certificate: true }))
    await answer({ status: { code: 0 } })
    expect([asked.length, served.length]).toEqual([2, 0])
    await answer({ status: { code: 0 } })
    expect(served).toHaveLength(1)
  })

  it.each([
    [{}, 'grpc_service'],
    [{ grpc_service: { google_grpc: {} } }, 'grpc_service'],
    [{ grpc_service: GRPC, shadow_mode: true }, 'shadow_mode'],
    [{ grpc_service: GRPC, send_tls_alert_on_denial: true }, 'send_tls_alert_on_denial'],
    [{ grpc_service: GRPC, typed_metadata_context_namespaces: ['x'] }, 'typed_metadata_context_namespaces'],
  ])('refuses %j by name', (config, field) => {
    const paths = compileWith(config).diagnostics.map(({ path }) => path)
    expect(paths).toContain(`filter_chains[0].filters[0].typed_config.${field}`)
  })
})
