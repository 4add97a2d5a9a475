import { formatDiagnostic } from '@heddle/runtime'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  authorizationPolicy,
  build,
  type Draft,
  destinationRule,
  gateway,
  peerAuthentication,
  serviceEntry,
  split,
  to,
  virtualService,
} from './index.js'

const reviews = destinationRule(
  { name: 'reviews', namespace: 'shop' },
  {
    host: 'reviews',
    trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' }, outlierDetection: { interval: '5s' } },
    subsets: [
      { name: 'v1', labels: { version: 'v1' } },
      { name: 'v2', labels: { version: 'v2' } },
    ],
  },
)
const route = (http: Parameters<typeof virtualService>[1]['http']) =>
  virtualService({ name: 'reviews', namespace: 'shop' }, { hosts: ['reviews'], ...(http === undefined ? {} : { http }) })

const problems = (...drafts: readonly Draft<string, string>[]): readonly string[] =>
  build(drafts).diagnostics.map(formatDiagnostic)

describe('drafts', () => {
  it('become resources, normalised as if they were read from YAML', () => {
    const result = build([
      reviews,
      route([
        { match: [{ uri: { prefix: '/' } }], timeout: '1.5s', route: split(reviews, { v1: 90, v2: 10 }) },
        { route: [to(reviews, 'v1', { port: 80 })] },
      ]),
      serviceEntry(
        { name: 'api' },
        { hosts: ['api.example'], resolution: 'DNS', ports: [{ number: 443, name: 'tls', protocol: 'TLS' }] },
      ),
    ])
    expect(result.diagnostics).toEqual([])
    expect(result.ok && result.value).toMatchObject([
      { kind: 'DestinationRule', spec: { trafficPolicy: { outlierDetection: { interval: 5000 } } } },
      {
        kind: 'VirtualService',
        spec: {
          http: [
            {
              timeout: 1500,
              route: [
                { destination: { host: 'reviews', subset: 'v1' }, weight: 90 },
                { destination: { host: 'reviews', subset: 'v2' }, weight: 10 },
              ],
            },
            { route: [{ destination: { host: 'reviews', subset: 'v1', port: { number: 80 } } }] },
          ],
        },
      },
      { kind: 'ServiceEntry', metadata: { namespace: 'default' } },
    ])
  })

  it('are refused with an unknown subset, whoever wrote it', () => {
    const written = virtualService(
      { name: 'reviews', namespace: 'other' },
      { hosts: ['x.example'], http: [{ route: [{ destination: { host: 'reviews.shop.svc.cluster.local', subset: 'v3' } }] }] },
    )
    expect(problems(reviews, written)).toEqual([
      'error config.unknown_subset VirtualService other/reviews spec.http[0].route[0].destination.subset: the DestinationRule of reviews.shop.svc.cluster.local has no subset v3: it has v1, v2',
    ])
    expect(problems(written)).toEqual([])
  })

  it.each([
    [{ v1: 90, v2: 20 }, 110],
    [{ v1: 50 }, 50],
  ])('are refused with weights %o', (weights, sum) => {
    expect(problems(reviews, route([{ route: split(reviews, weights) }]))).toEqual([
      `error config.weight_sum VirtualService shop/reviews spec.http[0].route: weights are ${sum} in sum: make them 100`,
    ])
  })

  it("are judged by Istio's rules, and JavaScript is told what TypeScript would not compile", () => {
    const mode = 'STRCT' as 'STRICT'
    const odd = { ...{ hosts: ['x.example'] }, hots: [] }
    expect(
      problems(
        peerAuthentication({ name: 'a', namespace: 'shop' }, { mtls: { mode } }),
        virtualService({ name: 'b', namespace: 'shop' }, odd),
        authorizationPolicy({ name: 'c', namespace: 'shop' }, { action: 'DENY' }),
      ),
    ).toEqual([
      expect.stringMatching(/^error config\.type PeerAuthentication shop\/a spec\.mtls\.mode: must be one of .*STRICT/),
      expect.stringMatching(/^error config\.unknown_field VirtualService shop\/b spec\.hots: .*did you mean hosts\?/),
      expect.stringMatching(/^error \S+ AuthorizationPolicy shop\/c /),
    ])
  })
})

describe('the compiler', () => {
  it('knows the subsets of a rule', () => {
    expectTypeOf(reviews).toEqualTypeOf<Draft<'DestinationRule', 'v1' | 'v2'>>()
    expectTypeOf(to<'v1' | 'v2'>)
      .parameter(1)
      .toEqualTypeOf<'v1' | 'v2' | undefined>()
    const bare = destinationRule({ name: 'bare' }, { host: 'bare' })
    expectTypeOf(bare).toEqualTypeOf<Draft<'DestinationRule', never>>()
  })

  // Each of these lines is an error of the type check when it compiles: that is what the directive says.
  it('refuses what cannot be right', () => {
    const port = { number: 443, name: 'x', protocol: 'HTTPS' }
    const wrong = (): unknown => [
      // @ts-expect-error there is no subset v3
      to(reviews, 'v3'),
      // @ts-expect-error there is no subset v3
      split(reviews, { v1: 50, v3: 50 }),
      // @ts-expect-error an enum
      peerAuthentication({ name: 'a' }, { mtls: { mode: 'STRCT' } }),
      // @ts-expect-error an enum
      destinationRule({ name: 'a' }, { host: 'a', trafficPolicy: { loadBalancer: { simple: 'ROBIN' } } }),
      // @ts-expect-error a duration without a unit
      virtualService({ name: 'a' }, { hosts: ['a'], http: [{ timeout: '5' }] }),
      // @ts-expect-error a duration is text
      virtualService({ name: 'a' }, { hosts: ['a'], http: [{ timeout: 5000 }] }),
      // @ts-expect-error an unknown field
      virtualService({ name: 'a' }, { hosts: ['a'], htp: [] }),
      // @ts-expect-error hosts are missing
      virtualService({ name: 'a' }, {}),
      // @ts-expect-error two ways to match
      virtualService({ name: 'a' }, { hosts: ['a'], http: [{ match: [{ uri: { exat: '/' } }] }] }),
      // @ts-expect-error an enum
      gateway({ name: 'a' }, { servers: [{ port, hosts: ['*'], tls: { mode: 'SIMPL' } }] }),
    ]
    expect(wrong).toBeTypeOf('function')
  })
})
