import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderOf, run } from '../src/testing.js'

/** The suites that need sockets, processes or whole manifests: each with an expectation that is right, and the same one changed. */

const path = (out: string): Record<string, unknown> => ({ 'path-normalization.json': [{ mode: 'BASE', in: '/a/../b?q', out }] })

const request = (tier: string, length: string): Record<string, unknown> => ({
  'http1-desync.json': [
    {
      file: 'f',
      name: 'n',
      method: 'POST',
      uri: '/',
      version: 'HTTP/1.1',
      headers: [{ name: 'Content-Length', value: length }],
      expected: { tier },
    },
  ],
})

const POD = `apiVersion: v1
kind: Pod
metadata: {name: app, namespace: test-ns, labels: {sidecar.istio.io/inject: "false"}}
spec: {containers: [{name: app, image: app}]}
`
const injected = (want: string): Record<string, unknown> => ({
  'injection.json': [{ id: 'i', input: POD, want, setFlags: null, iop: null, meshOverrides: null, nodeKubeletVersions: null }],
})

test.each([
  ['path-normalization', path('/b?q'), path('/a'), 'want /a, got /b?q'],
  ['http1-desync: passed on', request('Compliant', '3'), request('Severe', '3'), 'Severe: want 400 or 501 and a close, got 200'],
  [
    'http1-desync: refused',
    request('Severe', '3,4'),
    request('Compliant', '3,4'),
    'Compliant: want it accepted, got 400 and a close',
  ],
  [
    'injection',
    injected(`${POD}status: {}\n`),
    injected(POD.replace('image: app', 'image: other')),
    '[0].spec.containers[0].image: want "other", got "app"',
  ],
])('%s: right expectations pass, changed ones fail', async (_, right, changed, why) => {
  expect(await run(['--data', folderOf(right)])).toMatchObject({
    code: 0,
    out: expect.stringContaining(': 1/1\n1 passed, 0 failed'),
  })
  const failed = await run(['--data', folderOf(changed), '-o', 'json'])
  expect(failed.code).toBe(1)
  expect(Object.values(JSON.parse(failed.out))).toMatchObject([{ passed: 0, total: 1, cases: [{ ok: false, why }] }])
})

test('runners beside the data answer for istiod and envoy, in the units of the contract', async () => {
  const says = (report: object): string => `console.log(${JSON.stringify(JSON.stringify(report))}); process.exitCode = 1`
  const root = folderOf({
    'data/istiod.json.gz': [],
    'data/envoy.json': { groups: [] },
    'tools/compare-xds.mjs': says({
      cases: [
        { id: 'same', equal: 5, total: 5, differences: 0 },
        { id: 'other', equal: 3, total: 4, differences: 2 },
      ],
    }),
    'tools/envoy-diff.mjs': says({
      cors: { cases: [{ id: 'cors > a', ok: true }] },
      retry: { cases: [{ id: 'retry > b', ok: false, why: 'late' }] },
    }),
  })
  const { code, out } = await run(['--data', join(root, 'data')])
  expect(code).toBe(1)
  expect(out).toContain('istiod: 8/9\n  miss other: 3 of 4 resources are equal')
  expect(out).toContain('envoy: 1/2\n  miss retry > b: late\n')
})

test('a suite that cannot run is a failure, and keeps nobody else from running', async () => {
  const { code, out } = await run(['--data', folderOf({ 'envoy.json': { groups: [] }, 'simulation.json': [] })])
  expect(code).toBe(1)
  expect(out).toContain('simulation: 0/0')
  expect(out).toMatch(/envoy: 0\/1\n {2}miss envoy: cannot run: .*envoy-diff\.mjs/)
})
