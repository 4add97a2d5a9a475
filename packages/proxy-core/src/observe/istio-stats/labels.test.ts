import { describe, expect, it } from 'vitest'
import { deps, stream } from '../../filters/http/testing.js'
import type { FilterDeps } from '../../http/filter.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { workloadOf } from '../peer/workload.js'
import { createLabeller, PEER_LABELS } from './labels.js'

const SERVICES = { istio: { services: [{ host: 'apps.nolen.svc.cluster.local', name: 'apps', namespace: 'nolen' }] } }
const peer = workloadOf({ WORKLOAD_NAME: 'other', NAMESPACE: 'told', CLUSTER_ID: 'far', LABELS: { app: 'o', version: 'v9' } })

interface Told {
  readonly info?: Partial<StreamInfo>
  readonly downstream?: typeof peer
  readonly upstream?: typeof peer
  readonly waypoint?: boolean
  readonly hostFallback?: boolean
  readonly own?: Partial<FilterDeps>
}

function labelsOf({ info = {}, downstream, upstream, waypoint = false, hostFallback = true, own = {} }: Told): object {
  const labeller = createLabeller({ waypoint, hostFallback }, deps({ clusterMetadata: () => SERVICES, ...own }))
  const story = Object.assign(stream().info, info)
  if (downstream !== undefined) story.filterState.set('downstream_peer', downstream)
  if (upstream !== undefined) story.filterState.set('upstream_peer', upstream)
  const values = labeller.peers(story)
  return { ...Object.fromEntries(PEER_LABELS.map((label, i) => [label, values[i]])), security: labeller.security(story) }
}

const OUTBOUND = { direction: 'OUTBOUND' } as const
const spiffe = (namespace: string): string => `spiffe://cluster.local/ns/${namespace}/sa/x`

describe('at the server', () => {
  it('a peer that says nothing is unknown, of the latest revision, and in the namespace of its certificate', () => {
    expect(
      labelsOf({ info: { cluster: 'inbound|80||', peerPrincipal: spiffe('shown'), localPrincipal: spiffe('nolen') } }),
    ).toEqual({
      reporter: 'destination',
      source_workload: 'unknown',
      source_canonical_service: 'unknown',
      source_canonical_revision: 'latest',
      source_workload_namespace: 'shown',
      source_principal: spiffe('shown'),
      source_app: 'unknown',
      source_version: 'unknown',
      source_cluster: 'unknown',
      destination_workload: 'apps-v1',
      destination_workload_namespace: 'nolen',
      destination_principal: spiffe('nolen'),
      destination_app: 'apps',
      destination_version: 'v1',
      destination_service: 'apps.nolen.svc.cluster.local',
      destination_canonical_service: 'apps',
      destination_canonical_revision: 'latest',
      destination_service_name: 'apps',
      destination_service_namespace: 'nolen',
      destination_cluster: 'Kubernetes',
      security: 'mutual_tls',
    })
  })

  it('without a service it is called by its own name', () => {
    expect(labelsOf({ hostFallback: false, own: { clusterMetadata: () => ({}) } })).toMatchObject({
      destination_service: 'apps',
      destination_service_name: 'apps',
      destination_service_namespace: 'nolen',
      security: 'none',
    })
  })

  it('what it knows nothing of about itself is empty', () => {
    const node = { id: 'n', cluster: '', metadata: {} }
    expect(labelsOf({ own: { node, clusterMetadata: () => ({}) } })).toMatchObject({
      destination_workload: '',
      destination_app: '',
    })
  })

  it('what a certificate says of the namespace counts before what the peer says', () => {
    expect(labelsOf({ downstream: peer, info: { peerPrincipal: spiffe('shown') } })).toMatchObject({
      source_workload: 'other',
      source_workload_namespace: 'shown',
      source_cluster: 'far',
      security: 'none',
    })
    expect(labelsOf({ downstream: peer })).toMatchObject({ source_workload_namespace: 'told', source_version: 'v9' })
  })
})

describe('at the client', () => {
  it.each<[string, Partial<StreamInfo>, object]>([
    ['a service', { cluster: 'outbound|80||apps' }, { destination_service_name: 'apps', destination_service_namespace: 'nolen' }],
    [
      'no cluster',
      {},
      { destination_service: 'apps', destination_service_name: 'apps', destination_service_namespace: 'unknown' },
    ],
    [
      'any host',
      { cluster: 'PassthroughCluster' },
      { destination_service: 'apps', destination_service_name: 'PassthroughCluster' },
    ],
    [
      'a host that is blocked',
      { routeName: 'block_all' },
      { destination_service: 'apps', destination_service_name: 'BlackHoleCluster' },
    ],
    ['a host by Istio’s route', { routeName: 'allow_any', cluster: 'x' }, { destination_service_name: 'PassthroughCluster' }],
  ])('%s', (_, info, labels) => {
    expect(labelsOf({ own: OUTBOUND, info })).toMatchObject({
      reporter: 'source',
      source_workload: 'apps-v1',
      security: 'unknown',
      ...labels,
    })
  })

  it('a service without a name has the first label of its host', () => {
    const clusterMetadata = () => ({ istio: { services: [{ host: 'tea.shop.svc' }] } })
    expect(labelsOf({ own: { ...OUTBOUND, clusterMetadata }, info: { cluster: 'c' } })).toMatchObject({
      destination_service: 'tea.shop.svc',
      destination_service_name: 'tea',
    })
  })

  it('a service without a namespace is in that of who answered', () => {
    const clusterMetadata = () => ({})
    const info = { cluster: 'c', upstreamPeerPrincipal: spiffe('shown'), upstreamLocalPrincipal: spiffe('nolen') }
    expect(labelsOf({ own: { ...OUTBOUND, clusterMetadata }, info, upstream: peer })).toMatchObject({
      source_principal: spiffe('nolen'),
      destination_principal: spiffe('shown'),
      destination_workload_namespace: 'shown',
      destination_service_namespace: 'shown',
    })
  })

  it('a listener that says no direction is a client’s', () => {
    expect(labelsOf({ own: { direction: 'UNSPECIFIED' } })).toMatchObject({ reporter: 'source' })
  })
})

it('a waypoint speaks for neither side', () => {
  const [from, to] = [peer, { ...peer, name: 'server', namespace: 'there' }]
  expect(labelsOf({ waypoint: true, own: OUTBOUND, downstream: from, upstream: to, info: { cluster: 'c' } })).toMatchObject({
    reporter: 'waypoint',
    source_workload: 'other',
    destination_workload: 'server',
    destination_workload_namespace: 'there',
    destination_service: 'apps.nolen.svc.cluster.local',
    security: 'none',
  })
  expect(labelsOf({ waypoint: true, own: OUTBOUND })).toMatchObject({
    destination_canonical_revision: 'unknown',
    destination_app: 'unknown',
  })
})
