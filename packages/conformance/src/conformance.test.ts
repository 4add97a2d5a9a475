import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createKnownMisses, withoutPassing } from './known-misses.js'
import { runSuites } from './run.js'
import type { Suite } from './suite.js'
import { suites } from './suites/index.js'
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

const analysis = (code: string): object[] => [
  {
    id: 'a',
    analyzer: 'virtualservice.DestinationHostAnalyzer',
    inputs: { 'a.yaml': ROUTE },
    want: [{ code, level: 'Error', origin: 'VirtualService shop/cart' }],
  },
]
const ROUTE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec: {hosts: [cart], http: [{route: [{destination: {host: nowhere}}]}]}
`

const SIGNED = 'eyJhbGciOiJIUzI1NiJ9.Zm9v'
const jws = (result: string): object[] => {
  const signature = createHmac('sha256', Buffer.from('foo')).update(SIGNED).digest('base64url')
  return [{ id: 1, comment: 'hmac', key: { kty: 'oct', k: 'Zm9v' }, jws: `${SIGNED}.${signature}`, result }]
}

/** Its cases are counted, and nothing looks at them. */
const NOT_YET = suites.find(({ run: subject }) => subject === undefined)

const RIGHT = {
  'validation.json': validation(false),
  'analysis.json': analysis('IST0101'),
  'simulation.json.gz': simulation(CLUSTER),
  'sidecar-routes.json': routes(CLUSTER),
  'authorization.json': policies('ns[foo]-policy[all]-rule[0]'),
  'jws.json.gz': jws('valid'),
  ...(NOT_YET === undefined ? {} : { [`${NOT_YET.file}.gz`]: [{ id: 'not looked at' }] }),
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
  const lines = named.out.trimEnd().split('\n')
  expect(lines.filter((line) => line.endsWith('not yet (1 case)'))).toHaveLength(NOT_YET === undefined ? 0 : 1)
  expect(lines.filter((line) => !line.includes('not yet'))).toEqual([
    'validation: 3/3',
    'analysis: 1/1',
    'authorization: 1/1',
    'simulation: 2/2',
    'sidecar-routes: 1/1',
    'jws: 1/1',
    '9 passed, 0 failed',
  ])
  expect(await run([], { env: { HEDDLE_CONFORMANCE: `/nowhere:${data}` } })).toEqual(named)
})

test.each([
  ['a signature', { 'jws.json': jws('invalid') }, '1 hmac', 'want invalid, got valid'],
  ['a verdict', { 'validation.json': validation(true) }, 'good', 'want error true, got []'],
  ['a message', { 'validation.json': validation('no such words') }, 'good', 'want error "no such words", got []'],
  [
    'a code',
    { 'analysis.json': analysis('IST0102') },
    'a',
    'missing [IST0102 Error VirtualService shop/cart], too many [IST0101 Error VirtualService shop/cart]',
  ],
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

test('a case that may go either way counts neither way', async () => {
  const data = folderOf({ 'validation.json': validation(true) })
  const known = { 'either way: a timer': ['go*', 'empty'] }
  expect(await run(['--data', data], { known })).toMatchObject({
    code: 0,
    out: expect.stringContaining('\n1 passed, 0 failed\n'),
  })
  expect(withoutPassing(known, [{ id: 'empty', ok: true }])).toEqual(known)
})

test('where a suite lets it, an unlisted miss must be one twice', async () => {
  const asked: string[] = []
  const late: Suite = {
    name: 'late',
    file: 'late.json',
    async *run() {
      for (const id of ['a', 'b', 'c']) yield { id, ok: false, why: 'first' }
    },
    async again(_, id) {
      asked.push(id)
      return { id, ok: id === 'a', why: 'second' }
    },
  }
  for await (const result of runSuites([late], [folderOf({ 'late.json': [] })], () => createKnownMisses({ known: ['c'] })))
    expect(result).toMatchObject({ passed: 1, total: 3, knownMisses: 1, misses: [{ id: 'b', why: 'second' }] })
  expect(asked).toEqual(['a', 'b'])
})

test('a run that wants to be complete fails for a suite without data', async () => {
  const data = folderOf(RIGHT)
  const { code, out, err } = await run(['--data', data, '--complete', '--suite', 'validation', '--suite', 'injection'])
  expect({ code, err }).toEqual({ code: 1, err: 'injection: no data: there is no injection.json\n' })
  expect(out).toContain('3 passed, 1 failed')
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
