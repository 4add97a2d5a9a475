import { afterEach, expect, test, vi } from 'vitest'
import { main } from '../main.js'
import { createTestIo } from '../testing.js'

afterEach(() => vi.unstubAllGlobals())

const exchange = { version: 'v1', nonce: 'n', at: '2026-01-01T00:00:00.000Z' }

/** What `proxy-status` prints of a control plane with these proxies. */
async function printed(...proxies: object[]): Promise<{ code: number; text: string }> {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ settled: 1, proxies })))
  const io = createTestIo()
  const code = await main(['proxy-status', '--address', 'test:8080'], io)
  return { code, text: io.stdout }
}

const cart = {
  ...{ node_id: 'sidecar~10.0.0.1~cart.shop~shop.svc', cluster_id: 'Kubernetes', proxy_version: '1.29', istiod: 'heddle' },
  types: {
    cds: {
      state: 'NACKED',
      acked: exchange,
      nacked: { ...exchange, message: 'Error adding/updating cluster(s) shop: bad ring' },
    },
    lds: { state: 'SYNCED', acked: exchange },
    eds: { state: 'STALE', acked: exchange },
    rds: { state: 'STALE' },
  },
}

test('a proxy that refuses what it was sent: its columns, its words, and the line of YAML behind them', async () => {
  const source = { object: 'DestinationRule shop/ring', path: 'spec.trafficPolicy', origin: { file: 'rule.yaml', line: 21 } }
  const refusals = [{ resource: 'outbound|80||shop', sources: [source, { object: 'Service shop/shop', path: '' }] }]
  const { code, text } = await printed({ ...cart, refusals })
  expect(text.replace(/(\S) +/g, '$1 ')).toBe(`NAME CLUSTER CDS LDS EDS RDS ECDS ISTIOD VERSION
cart.shop Kubernetes NACK SYNCED STALE STALE (Never Acknowledged) NOT SENT heddle 1.29

cart.shop refused CDS: Error adding/updating cluster(s) shop: bad ring
  outbound|80||shop comes from DestinationRule shop/ring spec.trafficPolicy, rule.yaml:21
  outbound|80||shop comes from Service shop/shop
`)
  expect(code).toBe(1)
})

test('with nothing refused there is the table alone, and all is well', async () => {
  const { code, text } = await printed({ ...cart, types: { cds: { state: 'SYNCED', acked: exchange } } })
  expect(text.split('\n')).toHaveLength(3)
  expect(code).toBe(0)
})
