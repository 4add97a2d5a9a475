import { describe, expect, test } from 'vitest'
import { proxyFromJson, proxyFromNode, versionAtLeast } from './proxy.js'

describe('proxyFromNode', () => {
  test('reads what a sidecar sends', () => {
    const result = proxyFromNode({
      id: 'sidecar~10.0.0.7~tea-0.shop~shop.svc.cluster.local',
      metadata: {
        NAMESPACE: 'shop',
        LABELS: { app: 'tea' },
        SERVICE_ACCOUNT: 'tea',
        CLUSTER_ID: 'east',
        INTERCEPTION_MODE: 'NONE',
        HTTP_PROXY_PORT: '25080',
        UNPRIVILEGED_POD: 'true',
        HEDDLE_STOCK_ENVOY: true,
      },
      locality: { region: 'alps', zone: 'a1' },
    })
    expect(result).toMatchObject({
      ok: true,
      value: {
        id: 'tea-0.shop',
        type: 'sidecar',
        namespace: 'shop',
        addresses: ['10.0.0.7'],
        labels: { app: 'tea' },
        cluster: 'east',
        interceptionMode: 'NONE',
        httpProxyPort: 25080,
        unprivileged: true,
        stockEnvoy: true,
        locality: { region: 'alps', zone: 'a1', subzone: '' },
      },
    })
  })

  test('takes the namespace from the domain when metadata has none', () => {
    const result = proxyFromNode({ id: 'router~1.2.3.4~gw.edge~edge.svc.cluster.local' })
    expect(
      result.ok && [result.value.namespace, result.value.type, result.value.interceptionMode, result.value.httpProxyPort],
    ).toEqual(['edge', 'router', 'REDIRECT', undefined])
  })

  test.each([
    ['no id', {}, 'proxy.node_id'],
    ['three parts', { id: 'sidecar~1.2.3.4~a' }, 'proxy.node_id'],
    ['an unknown type', { id: 'teapot~1.2.3.4~a.b~b.svc.cluster.local' }, 'proxy.node_id'],
    [
      'an unknown mode',
      { id: 'sidecar~1.2.3.4~a.b~b.svc.cluster.local', metadata: { INTERCEPTION_MODE: 'MAGIC' } },
      'proxy.metadata',
    ],
  ])('refuses %s', (_, node, code) => {
    const result = proxyFromNode(node)
    expect([result.ok, result.diagnostics[0]?.code]).toEqual([false, code])
  })
})

test('proxyFromJson fills the defaults and refuses what is no proxy', () => {
  const result = proxyFromJson({ id: 'a', ip: '10.0.0.1', locality: 'r/z/s' })
  expect(
    result.ok && [result.value.namespace, result.value.cluster, result.value.dnsDomain, result.value.locality.subzone],
  ).toEqual(['default', 'Kubernetes', 'default.svc.cluster.local', 's'])
  expect(proxyFromJson('a').ok).toBe(false)
  expect(proxyFromJson({ id: 'a', labels: ['app'] }).diagnostics).toMatchObject([{ severity: 'error', path: 'labels' }])
  const misspelt = proxyFromJson({ id: 'a', lables: { app: 'a' } })
  expect([misspelt.ok, misspelt.diagnostics]).toMatchObject([true, [{ severity: 'warning', path: 'lables' }]])
  expect(proxyFromJson({}).ok).toBe(false)
})

test.each([
  ['1.28.3', false],
  ['1.29.0', true],
  ['1.29', true],
  ['1.33-alpha.abc', true],
  ['release-1.20', false],
  ['2.0', true],
  ['master', true],
  ['', true],
])('%j is of 1.29 or newer: %j', (version, newer) => {
  expect(versionAtLeast({ version }, 1, 29)).toBe(newer)
})

test.each([
  ['1.28.3', false],
  ['release-1.20', false],
  ['1.29.0', true],
  ['1.29', true],
  ['1.33-alpha.abc', true],
  ['2.0', true],
  ['master', true],
  ['', true],
])('%j is of 1.29 or newer: %j', (version, newer) => {
  expect(versionAtLeast({ version }, 1, 29)).toBe(newer)
})
