import { expect, test } from 'vitest'
import { withoutPassing } from './known-misses.js'
import { folderOf, run } from './testing.js'

const GATEWAY = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'g', namespace: 'a' },
  spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
}
const validation = (good: boolean | string): object[] => [
  { id: 'good', object: GATEWAY, want: { error: good } },
  { id: 'empty', object: { ...GATEWAY, spec: {} }, want: { error: true } },
  { id: 'long', object: { ...GATEWAY, metadata: { name: { $repeat: 'x', n: 300 }, namespace: 'a' } }, want: {} },
]

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  clusterIP: 10.0.0.1
  ports: [{name: http, port: 80}]
`
const POLICY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: all, namespace: foo}
spec: {rules: [{}]}
`
const rbac = (id: string): string => `name: envoy.filters.http.rbac
typedConfig:
  '@type': type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
  rules:
    policies:
      ${id}:
        permissions: [{andRules: {rules: [{any: true}]}}]
        principals: [{andIds: {ids: [{any: true}]}}]
  shadowRulesStatPrefix: istio_dry_run_allow_
`
const simulation = (cluster: string, error?: string): object[] => [
  {
    id: 's',
    config: '',
    kubeConfig: SERVICE,
    proxy: null,
    options: {},
    calls: [
      {
        name: 'service',
        call: { port: 80, protocol: 'http', hostHeader: 'web' },
        expect: { virtualHostMatched: 'web.default.svc.cluster.local:80', clusterMatched: cluster },
      },
      {
        name: 'unknown',
        call: { port: 9, protocol: 'tcp' },
        expect: { listenerMatched: 'virtualOutbound', ...(error === undefined ? {} : { error }) },
      },
    ],
  },
]
const routes = (cluster: string): object[] => [
  {
    id: 'r',
    config: SERVICE,
    proxy: { ConfigNamespace: 'default' },
    routeName: '80',
    expectedVirtualHostClusters: { 'web.default.svc.cluster.local': [cluster] },
  },
]
const CLUSTER = 'outbound|80||web.default.svc.cluster.local'
const policies = (id: string): object[] => [
  { id: 'http/p', mode: 'http', policies: POLICY, trustDomains: null, meshConfig: null, want: [rbac(id)] },
]

const RIGHT = {
  'validation.json': validation(false),
  'simulation.json.gz': simulation(CLUSTER),
  'sidecar-routes.json': routes(CLUSTER),
  'authorization.json': policies('ns[foo]-policy[all]-rule[0]'),
  'analysis.json.gz': [{ id: 'not looked at' }],
}

test('without data it says so, and that is no failure', async () => {
  const { code, out, err } = await run([])
  expect({ code, out }).toEqual({ code: 0, out: '' })
  expect(err).toContain('no data')
})

test('right expectations pass, packed or not, named or by HEDDLE_CONFORMANCE; what does not exist yet is only counted', async () => {
  const data = folderOf(RIGHT)
  const named = await run(['--data', data])
  expect(named).toMatchObject({ code: 0, err: '' })
  expect(named.out.trimEnd().split('\n')).toEqual([
    'validation: 3/3',
    'analysis: not yet (1 case)',
    'authorization: 1/1',
    'simulation: 2/2',
    'sidecar-routes: 1/1',
    '7 passed, 0 failed',
  ])
  expect(await run([], { env: { HEDDLE_CONFORMANCE: `/nowhere:${data}` } })).toEqual(named)
})

test.each([
  ['a verdict', { 'validation.json': validation(true) }, 'good', 'want error true, got []'],
  ['a message', { 'validation.json': validation('no such words') }, 'good', 'want error "no such words", got []'],
  [
    'a cluster',
    { 'simulation.json': simulation('outbound|81||web') },
    's/service',
    `clusterMatched: want outbound|81||web, got ${CLUSTER}`,
  ],
  [
    'an error',
    { 'simulation.json': simulation(CLUSTER, 'no route matched') },
    's/unknown',
    'error: want no route matched, got none',
  ],
  [
    'a route',
    { 'sidecar-routes.json': routes('BlackHoleCluster') },
    'r',
    `web.default.svc.cluster.local: [0]: want "BlackHoleCluster", got "${CLUSTER}"`,
  ],
  ['a policy', { 'authorization.json': policies('other') }, 'http/p', expect.stringContaining('rules.policies.other: want {')],
])('a changed expectation fails exactly there: %s', async (_, changed, id, why) => {
  const { code, out } = await run(['--data', folderOf(changed), '-o', 'json'])
  const found = Object.values(JSON.parse(out) as Record<string, { cases: { ok: boolean }[] }>).flatMap(({ cases }) => cases)
  expect(code).toBe(1)
  expect(found.filter(({ ok }) => !ok)).toEqual([{ id, ok: false, why }])
})

test('a listed miss is none; a listed case that passes is a failure', async () => {
  const data = folderOf({ 'validation.json': validation(true) })
  const listed = await run(['--data', data], { known: { 'we are milder': ['go*'] } })
  expect(listed).toMatchObject({ code: 0, out: 'validation: 2/3, 1 known miss\n2 passed, 0 failed\n' })
  const stale = await run(['--data', data], { known: { 'we are milder': ['good', 'empty'] } })
  expect(stale.code).toBe(1)
  expect(stale.out).toContain('listed as a known miss, but passes: empty')
  expect(stale.out).toContain('1 passed, 1 failed')
})

test('pruning takes off what passes, and nothing else', () => {
  const cases = [
    { id: 'g > a', ok: true },
    { id: 'g > b', ok: false },
    { id: 'h', ok: true },
    { id: 'i', ok: false },
  ]
  const lists = { one: ['g > *', 'h'], two: ['h'], three: ['i', 'not in this data'], four: ['i*'] }
  expect(withoutPassing(lists, cases)).toEqual({ one: ['g > b'], three: ['i', 'not in this data'], four: ['i*'] })
})

test('wrong use is told, and is not a failed comparison', async () => {
  expect(await run(['--suite', 'nothing'])).toMatchObject({ code: 64, err: expect.stringContaining('there is no suite nothing') })
  expect(await run(['-o', 'yaml'])).toMatchObject({ code: 64 })
  expect(await run(['--datum'])).toMatchObject({ code: 64 })
})
