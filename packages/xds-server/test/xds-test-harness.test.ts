import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GrpcXdsServer, listenGrpc } from '../src/grpc/index.js'
import { createSnapshotCache, createXdsServer, type SnapshotCache, type XdsServer } from '../src/index.js'
import { connect, type TestClient } from './client.js'
import { type Actor, createActor, type Service, VARIANTS, type Variant } from './harness-actor.js'

// The 18 scenario outlines of ii/xds-test-harness as our own table: 98 runs over gRPC.

interface Outline {
  readonly title: string
  readonly variants: readonly Variant[]
  /** What stands in the place of the outline's service(s). */
  readonly examples: readonly (readonly Service[])[]
  run(actor: Actor, services: readonly Service[]): Promise<void>
}

const [SOTW, SOTW_ADS, DELTA, DELTA_ADS] = VARIANTS
const BOTH_SOTW = [SOTW, SOTW_ADS]
const BOTH_DELTA = [DELTA, DELTA_ADS]
const each = (...services: Service[]): Service[][] => services.map((service) => [service])
const FULL = each('CDS', 'LDS')
const PARTIAL = each('RDS', 'EDS')
const ALL = each('CDS', 'LDS', 'RDS', 'EDS')
const ABC = { A: '1', B: '1', C: '1' }

const outlines: readonly Outline[] = [
  {
    title: '1 a wildcard request gets all resources in one response',
    variants: BOTH_SOTW,
    examples: FULL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service)
      await actor.receives(service, 'A', 'B', 'C')
    },
  },
  {
    title: '2 a wildcard subscription gets the full set when one changes',
    variants: BOTH_SOTW,
    examples: FULL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service)
      await actor.receives(service, 'A', 'B', 'C')
      actor.given(service, { ...ABC, C: '2' })
      await actor.receives(service, 'A', 'B', 'C')
    },
  },
  {
    title: '3 a wildcard subscription gets what is added',
    variants: BOTH_SOTW,
    examples: FULL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service)
      await actor.receives(service, 'A', 'B', 'C')
      actor.given(service, { ...ABC, D: '1' })
      await actor.receives(service, 'A', 'B', 'C', 'D')
    },
  },
  {
    title: '4 who names resources gets only these',
    variants: VARIANTS,
    examples: each('LDS', 'RDS'),
    async run(actor, [service = 'LDS']) {
      actor.given(service, { ...ABC, D: '1' })
      await actor.subscribe(service, 'B', 'D')
      await actor.receives(service, 'B', 'D')
    },
  },
  {
    title: '5 named resources come as a full set when one changes',
    variants: BOTH_SOTW,
    examples: FULL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B')
      await actor.receives(service, 'A', 'B')
      actor.given(service, { ...ABC, B: '2' })
      await actor.receives(service, 'A', 'B')
    },
  },
  {
    title: '6 named resources come when they change',
    variants: BOTH_SOTW,
    examples: PARTIAL,
    async run(actor, [service = 'RDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B')
      await actor.receives(service, 'A', 'B')
      actor.given(service, { ...ABC, B: '2' })
      await actor.receives(service, 'B')
    },
  },
  {
    title: '7 a named resource that does not exist comes when it is made, in a full set',
    variants: BOTH_SOTW,
    examples: FULL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'D')
      await actor.receives(service, 'A', 'B')
      actor.given(service, { ...ABC, D: '1' })
      await actor.receives(service, 'A', 'B', 'D')
    },
  },
  {
    title: '8 a named resource that does not exist comes when it is made',
    variants: BOTH_SOTW,
    examples: PARTIAL,
    async run(actor, [service = 'RDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'D')
      await actor.receives(service, 'A', 'B')
      actor.given(service, { ...ABC, D: '1' })
      await actor.receives(service, 'D')
    },
  },
  {
    title: '9 several services over one stream',
    variants: [SOTW_ADS],
    examples: [
      ['CDS', 'LDS'],
      ['RDS', 'EDS'],
    ],
    run: severalServices,
  },
  {
    title: '10 names that are dropped are dropped; more may come',
    variants: BOTH_SOTW,
    examples: FULL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'C')
      await actor.receives(service, 'A', 'B', 'C')
      await actor.subscribe(service, 'A')
      actor.given(service, { ...ABC, A: '2', B: '2' })
      await actor.receives(service, 'A')
    },
  },
  {
    title: '11 names that are dropped are dropped, and nothing else comes',
    variants: BOTH_SOTW,
    examples: PARTIAL,
    async run(actor, [service = 'RDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'C')
      await actor.receives(service, 'A', 'B', 'C')
      await actor.subscribe(service, 'A')
      actor.given(service, { ...ABC, B: '2' })
      await actor.isQuiet()
      actor.given(service, { ...ABC, A: '2', B: '2' })
      await actor.receives(service, 'A')
    },
  },
  {
    title: '12 all names can be dropped',
    variants: BOTH_SOTW,
    examples: ALL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B')
      await actor.receives(service, 'A', 'B')
      await actor.subscribe(service, '')
      actor.given(service, { A: '2', B: '2', C: '2' })
    },
  },
  {
    title: '13 resources one after the other',
    variants: BOTH_DELTA,
    examples: ALL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A')
      await actor.receives(service, 'A')
      await actor.subscribe(service, 'B')
      await actor.receives(service, 'B')
      await actor.subscribe(service, 'C')
      await actor.receives(service, 'C')
    },
  },
  {
    title: '14 only the resource that changes comes',
    variants: BOTH_DELTA,
    examples: ALL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'C')
      await actor.receives(service, 'A', 'B', 'C')
      actor.given(service, { ...ABC, B: '2' })
      await actor.receives(service, 'B')
    },
  },
  {
    title: '15 what does not exist is told, and comes when it is made',
    variants: BOTH_DELTA,
    examples: ALL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'D')
      await actor.receives(service, '-D')
      actor.given(service, { ...ABC, D: '1' })
      await actor.receives(service, 'D')
    },
  },
  {
    title: '16 what is removed is told, and comes when it is made again',
    variants: BOTH_DELTA,
    examples: ALL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'C')
      await actor.receives(service, 'A', 'B', 'C')
      actor.given(service, { A: '1', C: '1' })
      await actor.receives(service, '-B')
      actor.given(service, ABC)
      await actor.receives(service, 'B')
    },
  },
  {
    title: '17 names are dropped one by one',
    variants: BOTH_DELTA,
    examples: ALL,
    async run(actor, [service = 'CDS']) {
      actor.given(service, ABC)
      await actor.subscribe(service, 'A', 'B', 'C')
      await actor.receives(service, 'A', 'B', 'C')
      await actor.unsubscribe(service, 'B')
      actor.given(service, { A: '2', B: '2', C: '1' })
      await actor.receives(service, 'A')
      await actor.unsubscribe(service, 'A')
      actor.given(service, { A: '3', B: '3', C: '3' })
      await actor.receives(service, 'C')
    },
  },
  {
    title: '18 several services over one stream',
    variants: [DELTA_ADS],
    examples: [
      ['CDS', 'LDS'],
      ['LDS', 'CDS'],
      ['RDS', 'EDS'],
      ['EDS', 'RDS'],
    ],
    run: severalServices,
  },
]

async function severalServices(actor: Actor, [first = 'CDS', second = 'LDS']: readonly Service[]): Promise<void> {
  actor.given(first, ABC)
  actor.given(second, ABC)
  await actor.subscribe(first, 'A', 'B')
  await actor.receives(first, 'A', 'B')
  await actor.subscribe(second, 'B', 'C')
  await actor.receives(second, 'B', 'C')
  actor.given(second, { ...ABC, B: '2', C: '2' })
  await actor.receives(second, 'B', 'C')
}

const runs = outlines.flatMap((outline) =>
  outline.variants.flatMap((variant) => outline.examples.map((services) => ({ outline, variant, services }))),
)

describe('xds-test-harness', () => {
  let cache: SnapshotCache
  let server: XdsServer
  let listener: GrpcXdsServer
  let client: TestClient

  beforeAll(async () => {
    cache = createSnapshotCache()
    server = createXdsServer({ resources: (node) => cache.watch(node.id) })
    listener = await listenGrpc(server, { address: '127.0.0.1:0' })
    client = connect(listener.port)
  })
  afterAll(async () => {
    client.close()
    await listener.close()
  })

  test('are 98 runs', () => expect(runs).toHaveLength(98))

  test.each(runs.map((run) => ({ ...run, name: `${run.outline.title}: ${run.variant}, ${run.services.join(' and ')}` })))(
    '$name',
    async ({ outline, variant, services, name }) => {
      const actor = createActor(variant, name, client, server, cache)
      await outline.run(actor, services)
      await actor.isQuiet()
    },
  )
})
