import { createSelfSignedAuthority, readSpiffeBundle, writeSpiffeBundle } from '@heddle/ca'
import { createStore, defaultMeshConfig } from '@heddle/config-model'
import { createFakeClock, createMemoryLogger } from '@heddle/runtime/testing'
import { expect, test, vi } from 'vitest'
import { snapshotsOf } from './control-plane.js'
import { followFederation, publishedBundle } from './mesh-trust.js'

const random = { next: () => 0.5 }

test('roots of others come from PEM and from their bundles, and follow the mesh config', async () => {
  const clock = createFakeClock()
  const rootsOf = async (trustDomain: string): Promise<readonly string[]> =>
    (await createSelfSignedAuthority({ clock, trustDomain })).trustBundle.current
  const [fixed, other] = [await rootsOf('fixed.example'), await rootsOf('other.example')]
  const store = createStore()
  const fetch = vi.fn(async () => writeSpiffeBundle({ trustDomain: 'other.example', x509Authorities: other, sequence: 1 }))
  const federation = followFederation({ snapshots: snapshotsOf(store), clock, random, fetch })
  expect(federation.roots.current).toEqual([])
  const spiffeBundleUrl = 'https://other.example/bundle'
  store.setMeshConfig({
    ...defaultMeshConfig,
    caCertificates: [{ pem: fixed.join('') }, { spiffeBundleUrl, trustDomains: ['other.example'] }],
  })
  expect(federation.roots.current).toEqual(fixed)
  await vi.waitFor(() => expect(federation.roots.current).toEqual([...fixed, ...other]), 20_000)
  expect(fetch).toHaveBeenCalledWith(spiffeBundleUrl, expect.any(AbortSignal))
  store.setMeshConfig(defaultMeshConfig)
  expect(federation.roots.current).toEqual([])
  federation.close()
  expect(clock.pending).toBe(0)
})

test('the own roots are published with a sequence that grows with each change', async () => {
  const clock = createFakeClock()
  const [authority, next] = [await createSelfSignedAuthority({ clock }), await createSelfSignedAuthority({ clock })]
  const bundle = publishedBundle(authority, 'cluster.local', clock)
  const read = (): { sequence?: number; roots: number } => {
    const result = readSpiffeBundle('cluster.local', bundle.current)
    return result.ok ? { sequence: result.value.sequence ?? 0, roots: result.value.x509Authorities.length } : { roots: -1 }
  }
  const before = read()
  clock.advance(1000)
  expect(read()).toEqual(before)
  authority.replace({ trustBundle: [...authority.trustBundle.current, ...next.trustBundle.current] })
  expect(read()).toEqual({ sequence: clock.now(), roots: 2 })
  expect(before).toEqual({ sequence: clock.now() - 1000, roots: 1 })
})

test('a bundle is taken over HTTPS only, and never from a link-local address', async () => {
  const clock = createFakeClock()
  const store = createStore()
  const logger = createMemoryLogger()
  const urls = ['http://other.example/bundle', 'https://169.254.169.254/latest']
  const caCertificates = urls.map((spiffeBundleUrl) => ({ spiffeBundleUrl, trustDomains: ['other.example'] }))
  store.setMeshConfig({ ...defaultMeshConfig, caCertificates })
  const federation = followFederation({ snapshots: snapshotsOf(store), clock, random, logger })
  await vi.waitFor(() => expect(logger.entries).toHaveLength(2), 20_000)
  expect(JSON.stringify(logger.entries)).toContain('is not https')
  expect(JSON.stringify(logger.entries)).toContain('169.254.169.254 is not asked')
  federation.close()
})
