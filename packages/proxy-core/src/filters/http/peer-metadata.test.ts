import { describe, expect, it } from 'vitest'
import { decodePeer, encodePeer, workloadOfEndpoint } from '../../observe/peer/workload.js'
import { peerMetadataFilter } from './peer-metadata.js'
import { configured, NODE, response, stream } from './testing.js'

describe('peer metadata', () => {
  it('travels as a Struct in base64 and comes back', () => {
    expect(decodePeer(encodePeer(NODE))).toEqual({
      name: 'apps-v1',
      namespace: 'nolen',
      cluster: 'Kubernetes',
      canonicalName: 'apps',
      canonicalRevision: 'latest',
      app: 'apps',
      version: 'v1',
      labels: NODE['LABELS'],
    })
    const wire = Buffer.from(encodePeer({ NAMESPACE: 'n', LABELS: {} }), 'base64').toString('hex')
    expect(wire).toBe('0a0c0a064c4142454c5312022a000a100a094e414d45535041434512031a016e')
    for (const junk of ['', '%%%', 'AAAA', 'x'.repeat(20_000)]) expect(decodePeer(junk)?.name ?? '').toBe('')
  })

  it('is taken off requests, and answered only when the client spoke first', () => {
    const create = configured(peerMetadataFilter, {
      downstream_discovery: [{ istio_headers: {} }],
      downstream_propagation: [{ istio_headers: {} }],
    })
    const spoken = stream({ headers: { 'x-envoy-peer-metadata': encodePeer(NODE), 'x-envoy-peer-metadata-id': 'x' } })
    for (const [asked, answered] of [
      [spoken, true],
      [stream(), false],
    ] as const) {
      const filter = create(asked)
      void filter.onRequest!(asked.request, asked)
      expect(asked.request.headers.size).toBe(0)
      const answer = response()
      void filter.onResponse!(answer, asked)
      expect(answer.headers.has('x-envoy-peer-metadata')).toBe(answered)
    }
    expect(spoken.info.filterState.get('downstream_peer')).toMatchObject({ name: 'apps-v1' })
  })

  it('is told upstream and taken off the answer', () => {
    const asked = stream()
    const filter = configured(peerMetadataFilter, {
      upstream_discovery: [{ istio_headers: {} }],
      upstream_propagation: [{ istio_headers: {} }],
    })(asked)
    void filter.onRequest!(asked.request, asked)
    expect(asked.request.headers.get('x-envoy-peer-metadata-id')).toContain('apps-v1.nolen')
    const answer = response({ 'x-envoy-peer-metadata': encodePeer({ WORKLOAD_NAME: 'w' }), other: '1' })
    void filter.onResponse!(answer, asked)
    expect([...answer.headers]).toEqual([['other', '1']])
    expect(asked.info.filterState.get('upstream_peer')).toMatchObject({ name: 'w' })
  })

  it('is known of endpoints as well', () => {
    expect(workloadOfEndpoint('w;ns;can;v1;c1')).toMatchObject({
      name: 'w',
      namespace: 'ns',
      canonicalName: 'can',
      cluster: 'c1',
    })
    expect(workloadOfEndpoint('w;ns')).toBeUndefined()
  })
})
