import { traceRefusals } from '@heddle/mesh'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeCell } from '../src/cell.js'
import { envoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { service, sidecar, workloadEntry } from '../src/kinds.js'
import { createInteropMesh, type InteropMesh } from '../src/mesh.js'
import { findEnvoy } from '../src/tools.js'

// What people wrote may be fine for Istio's schema and not for Envoy: the refusal then names what they wrote.
const CLIENT = { app: 'client' }
const TIMEOUT_MS = 90_000
const tool = findEnvoy()
const stock = envoy(tool)

describeCell({ controlPlane: '@heddle/mesh, Delta ADS', dataPlane: stock.name, tool }, () => {
  let mesh: InteropMesh

  beforeAll(async () => {
    mesh = await createInteropMesh()
    const [httpProxyPort = 0, inboundPort = 0] = await freePorts(2)
    mesh.write('shop.yaml', service('shop', { app: 'shop' }))
    mesh.write(
      'client.yaml',
      workloadEntry('client', { labels: CLIENT, port: inboundPort }),
      sidecar('client', CLIENT, inboundPort, 1),
    )
    await mesh.start(stock, { name: 'client', labels: CLIENT, httpProxyPort, variant: 'DELTA_GRPC' })
  }, TIMEOUT_MS)

  afterAll(() => mesh?.close(), TIMEOUT_MS)

  test(
    'what Envoy refuses is traced to the object, the field and the line of YAML, until it is mended',
    async () => {
      mesh.write('rule.yaml', service('other', { app: 'other' }), ringOf(9_000_000))
      const refusals = await eventually(
        () => traceRefusals(mesh.controlPlane, mesh.origins),
        (found) => found.length > 0,
      )
      expect(refusals).toMatchObject([
        {
          resource: expect.stringMatching(/^outbound\|\d+\|\|shop\.shop\.svc\.cluster\.local$/),
          message: expect.stringContaining('MinimumRingSize'),
        },
      ])
      expect(refusals[0]?.sources).toContainEqual({
        object: 'DestinationRule shop/ring',
        path: 'spec.trafficPolicy',
        origin: expect.objectContaining({ file: expect.stringMatching(/rule\.yaml$/), line: 21 }),
      })
      mesh.write('rule.yaml', ringOf(1_024))
      await eventually(
        () => traceRefusals(mesh.controlPlane, mesh.origins),
        (found) => found.length === 0,
      )
    },
    TIMEOUT_MS,
  )
})

function ringOf(minimumRingSize: number) {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'ring', namespace: 'shop' },
    spec: {
      host: 'shop',
      trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'x-user', ringHash: { minimumRingSize } } } },
    },
  }
}
