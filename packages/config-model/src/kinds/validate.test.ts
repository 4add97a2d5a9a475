import { formatDiagnostic } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { readYaml } from '../read.js'

// What is said about an object, without file and key.
function said(apiVersion: string, kind: string, spec: string, meta = '{name: x, namespace: ns}'): string[] {
  const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${meta}\nspec: ${spec}\n`
  const strip = (line: string): string => line.replace(/^f:\d+: /, '').replace(` ${kind} ns/x`, '')
  return readYaml(text, { file: 'f' }).diagnostics.map(formatDiagnostic).map(strip)
}

const networking = (kind: string, spec: string): string[] => said('networking.istio.io/v1', kind, spec)
const security = (kind: string, spec: string): string[] => said('security.istio.io/v1', kind, spec)
const ROUTE = 'route: [{destination: {host: a}}]'

describe('VirtualService', () => {
  it.each<[string, string, string[]]>([
    ['a good one', `{hosts: [a], http: [{${ROUTE}}]}`, []],
    ['no routes', '{hosts: [a]}', ['error config.required spec: http, tcp or tls must be provided in virtual service']],
    [
      '* in the mesh',
      `{hosts: ["*"], http: [{${ROUTE}}]}`,
      ['error config.host spec.hosts[0]: wildcard host * is not allowed for virtual services bound to the mesh gateway'],
    ],
    ['* on a gateway', `{hosts: ["*"], gateways: [ns/gw], http: [{${ROUTE}}]}`, []],
    [
      'twin hosts',
      `{hosts: [a.com, "*.com"], http: [{${ROUTE}}]}`,
      ['error config.duplicate spec.hosts[1]: duplicate hosts in virtual service: a.com & *.com'],
    ],
    [
      'route and redirect',
      `{hosts: [a], http: [{${ROUTE}, redirect: {uri: /}}]}`,
      ['error config.conflict spec.http[0]: HTTP route cannot contain both route and redirect'],
    ],
    [
      'weights of 0',
      '{hosts: [a], http: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]}',
      ['error config.invalid spec.http[0].route: total destination weight = 0: give each destination its weight'],
    ],
    ['one destination without weight', `{hosts: [a], http: [{${ROUTE}}]}`, []],
    [
      'weights that do not add up to 100',
      '{hosts: [a], http: [{route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]}]}',
      [],
    ],
    [
      'a bad regex',
      `{hosts: [a], http: [{match: [{uri: {regex: "("}}], ${ROUTE}}]}`,
      [expect.stringMatching(/^error config.regex spec.http\[0\].match\[0\].uri: .*missing.*RE2/)],
    ],
    [
      'a long regex',
      `{hosts: [a], http: [{match: [{uri: {regex: ${'a'.repeat(1025)}}}], ${ROUTE}}]}`,
      [expect.stringContaining('max length allowed is 1024')],
    ],
    [
      'a look-behind',
      `{hosts: [a], http: [{match: [{uri: {regex: "(?<=a)b"}}], ${ROUTE}}]}`,
      [expect.stringContaining('config.regex')],
    ],
    [
      'an old percentage',
      `{hosts: [a], http: [{mirror: {host: b}, mirrorPercent: 5, ${ROUTE}}]}`,
      ['warning config.deprecated spec.http[0].mirrorPercent: mirrorPercent is deprecated: use mirrorPercentage.value'],
    ],
    [
      'two rules without a match',
      `{hosts: [a], http: [{${ROUTE}}, {${ROUTE}}]}`,
      ['warning config.unreachable spec.http[1]: virtualService rule #1 not used (only the last rule can have no matches)'],
    ],
    [
      'a prefix within a prefix',
      `{hosts: [a], http: [{name: all, match: [{uri: {prefix: /a}}], ${ROUTE}}, {match: [{uri: {prefix: /a/b}}], ${ROUTE}}]}`,
      [
        'warning config.unreachable_match spec.http[1].match[0]: virtualService rule #1 match #0 of prefix /a/b is not used (duplicate/overlapping match in rule #0 of prefix /a on "all")',
      ],
    ],
    [
      'a bad header value',
      `{hosts: [a], http: [{headers: {request: {set: {x: "%FOO"}}}, ${ROUTE}}]}`,
      [expect.stringContaining('write %% for a percent sign')],
    ],
    ['a good header value', `{hosts: [a], http: [{headers: {request: {set: {x: "%REQ(a)% 100%%"}}}, ${ROUTE}}]}`, []],
    [
      'an unknown status',
      `{hosts: [a], http: [{retries: {attempts: 1, retryOn: "5xx,foo"}, ${ROUTE}}]}`,
      [expect.stringContaining('"foo" is not a valid retryOn policy')],
    ],
    [
      'maxAge below a second',
      `{hosts: [a], http: [{corsPolicy: {maxAge: 100ms}, ${ROUTE}}]}`,
      [expect.stringContaining('seconds precision')],
    ],
    ['a delegate with gateways', `{gateways: [mesh], http: [{${ROUTE}}]}`, [expect.stringContaining('must have no gateways')]],
    [
      'claims without a gateway',
      `{hosts: [a], http: [{match: [{headers: {"@request.auth.claims.sub": {exact: x}}}], ${ROUTE}}]}`,
      [expect.stringContaining('only supported for gateway')],
    ],
  ])('%s', (_name, spec, wanted) => {
    expect(networking('VirtualService', spec)).toEqual(wanted)
  })
})

describe('DestinationRule', () => {
  it.each<[string, string, string[]]>([
    ['a good one', '{host: a, subsets: [{name: v1, labels: {version: v1}}]}', []],
    ['no host', '{}', ['error config.host spec.host: empty domain name not allowed']],
    [
      'subsets of one name',
      '{host: a, subsets: [{name: v1}, {name: v1}]}',
      ['error config.duplicate spec.subsets[1].name: duplicate subset names: v1'],
    ],
    [
      'an empty policy',
      '{host: a, trafficPolicy: {}}',
      ['error config.required spec.trafficPolicy: traffic policy must have at least one field'],
    ],
    [
      'MUTUAL without a key',
      '{host: a, trafficPolicy: {tls: {mode: MUTUAL, clientCertificate: /c}}}',
      ['error config.required spec.trafficPolicy.tls.privateKey: private key required for mutual tls'],
    ],
    [
      'an enum in small letters',
      '{host: a, trafficPolicy: {loadBalancer: {simple: round_robin}}}',
      ['error config.type spec.trafficPolicy.loadBalancer.simple: must be written ROUND_ROBIN, not round_robin'],
    ],
    [
      'a table that is not prime',
      '{host: a, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 1000}}}}}',
      [expect.stringContaining('prime')],
    ],
    [
      'half a millisecond',
      '{host: a, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 1.5ms}}}}',
      [expect.stringContaining('ms precision')],
    ],
    ['the public and others', '{host: a, exportTo: ["*", b]}', [expect.stringContaining('cannot have both public (*)')]],
  ])('%s', (_name, spec, wanted) => {
    expect(networking('DestinationRule', spec)).toEqual(wanted)
  })
})

describe('other networking kinds', () => {
  const server = (port: string, rest = ''): string =>
    `{selector: {istio: i}, servers: [{port: ${port}, hosts: ["*.x.com"]${rest}}]}`
  it.each<[string, string, string, string[]]>([
    ['Gateway', 'a good one', server('{number: 80, name: http, protocol: HTTP}'), []],
    [
      'Gateway',
      'HTTPS without TLS',
      server('{number: 443, name: https, protocol: HTTPS}'),
      [expect.stringContaining('must have TLS settings')],
    ],
    [
      'Gateway',
      'a short name',
      '{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a]}]}',
      [expect.stringContaining('short names (non FQDN) are not allowed')],
    ],
    [
      'Gateway',
      'a strange protocol',
      server('{number: 80, name: x, protocol: QUIC}'),
      [expect.stringContaining('invalid protocol "QUIC"')],
    ],
    [
      'Gateway',
      'certificates',
      server('{number: 443, name: https, protocol: HTTPS}', ', tls: {mode: SIMPLE}'),
      [expect.stringContaining('requires a server certificate'), expect.stringContaining('requires a private key')],
    ],
    ['ServiceEntry', 'a good one', '{hosts: [a.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}', []],
    [
      'ServiceEntry',
      'hosts that nothing tells apart',
      '{hosts: [a.com, b.com], ports: [{number: 1, name: tcp, protocol: TCP}], addresses: [1.1.1.1], resolution: STATIC}',
      [expect.stringContaining('multiple hosts provided with non-HTTP')],
    ],
    [
      'ServiceEntry',
      'CIDR with DNS',
      '{hosts: [a.com], addresses: [10.0.0.0/8], resolution: DNS}',
      [expect.stringContaining('CIDR addresses are allowed only')],
    ],
    [
      'Sidecar',
      'explicit ingress',
      '{ingress: [{port: {number: 9080, protocol: HTTP, name: http}, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: "127.0.0.1:8080"}]}',
      [],
    ],
    ['Sidecar', 'nothing', '{}', [expect.stringContaining('empty configuration')]],
    ['Sidecar', 'a host without namespace', '{egress: [{hosts: [a.com]}]}', [expect.stringContaining('./a.com')]],
    [
      'Sidecar',
      'an endpoint elsewhere',
      '{ingress: [{port: {number: 1, protocol: TCP, name: t}, defaultEndpoint: "1.2.3.4:80"}]}',
      [expect.stringContaining('defaultEndpoint must be of form')],
    ],
    ['WorkloadEntry', 'no address', '{}', ['error config.required spec.address: address is required']],
    [
      'WorkloadEntry',
      'a bad port',
      '{address: 1.1.1.1, ports: {http: 70000}}',
      ['error config.port spec.ports.http: port number 70000 must be in the range 1..65535'],
    ],
    [
      'WorkloadEntry',
      'a bad label',
      '{address: 1.1.1.1, labels: {"-a": b}}',
      [expect.stringContaining('invalid label name "-a"')],
    ],
    ['WorkloadGroup', 'no template', '{}', ['error config.required spec.template: template is required']],
    [
      'EnvoyFilter',
      'no value',
      '{configPatches: [{applyTo: CLUSTER, patch: {operation: MERGE}}]}',
      [expect.stringContaining('missing patch value')],
    ],
    [
      'EnvoyFilter',
      'the v2 API',
      '{configPatches: [{applyTo: HTTP_FILTER, patch: {operation: ADD, value: {typed_config: {"@type": type.googleapis.com/envoy.config.filter.http.lua.v2.Lua}}}}]}',
      [expect.stringContaining('try using the v3 XDS API')],
    ],
    ['ProxyConfig', 'negative', '{concurrency: -1}', [expect.stringContaining('greater than or equal to 0')]],
  ])('%s: %s', (kind, _name, spec, wanted) => {
    expect(networking(kind, spec)).toEqual(wanted)
  })
})

describe('security kinds', () => {
  it.each<[string, string, string, string[]]>([
    ['PeerAuthentication', 'a good one', '{mtls: {mode: STRICT}}', []],
    [
      'PeerAuthentication',
      'ports of nobody',
      '{portLevelMtls: {80: {mode: STRICT}}}',
      [expect.stringContaining('add a selector')],
    ],
    ['AuthorizationPolicy', 'nothing is allowed', '{}', []],
    ['AuthorizationPolicy', 'DENY without rules', '{action: DENY}', [expect.stringContaining('add an empty rule `{}`')]],
    [
      'AuthorizationPolicy',
      'an empty source',
      '{rules: [{from: [{source: {}}]}]}',
      [expect.stringContaining('`from.source` must not be empty')],
    ],
    [
      'AuthorizationPolicy',
      'a bad key',
      '{rules: [{when: [{key: source.ipp, values: [a]}]}]}',
      [expect.stringContaining('did you mean source.ip?')],
    ],
    [
      'AuthorizationPolicy',
      'a bad address',
      '{rules: [{when: [{key: source.ip, values: [a]}]}]}',
      [expect.stringContaining('bad IP address')],
    ],
    [
      'AuthorizationPolicy',
      'only HTTP in DENY',
      '{action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]}',
      [expect.stringMatching(/^warning .*deny all traffic to TCP ports/)],
    ],
    [
      'AuthorizationPolicy',
      'a named template',
      '{rules: [{to: [{operation: {paths: ["/{*}/{x}"]}}]}]}',
      [expect.stringContaining('unsupported path template')],
    ],
    [
      'AuthorizationPolicy',
      'a wrong field',
      '{rules: [{from: [{source: {principal: [a]}}]}]}',
      [expect.stringContaining('did you mean principals?')],
    ],
    ['RequestAuthentication', 'no issuer', '{jwtRules: [{}]}', [expect.stringContaining('issuer must be set')]],
    [
      'RequestAuthentication',
      'a bad jwks',
      '{jwtRules: [{issuer: a, jwks: "{"}]}',
      [expect.stringContaining('jwks parse error')],
    ],
    [
      'RequestAuthentication',
      'two ways to choose',
      '{selector: {matchLabels: {a: b}}, targetRefs: [{kind: Service, name: a}]}',
      [expect.stringContaining('only one of targetRefs or workloadSelector')],
    ],
  ])('%s: %s', (kind, _name, spec, wanted) => {
    expect(security(kind, spec)).toEqual(wanted)
  })

  it('has no dry run but for AuthorizationPolicy', () => {
    const meta = '{name: x, namespace: ns, annotations: {istio.io/dry-run: "true"}}'
    expect(said('security.istio.io/v1', 'AuthorizationPolicy', '{}', meta)).toEqual([])
    expect(said('security.istio.io/v1', 'PeerAuthentication', '{}', meta)).toEqual([
      expect.stringContaining('remove the annotation'),
    ])
  })
})

describe('normalised', () => {
  it('has durations in milliseconds, one kind of match, and the deprecated fields beside the present ones', () => {
    const text = `apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: x}
spec:
  hosts: [a]
  http:
  - match: [{uri: {prefix: /}, headers: {end-user: {exact: jason}, present: {}}, ignore_uri_case: true}]
    timeout: 1m30s
    mirror: {host: b}
    mirrorPercent: 20
    fault: {delay: {percent: 10, fixedDelay: 5s}}
    route: [{destination: {host: a, port: {number: 80}}}]
`
    const { resources } = readYaml(text, { file: 'f' })
    expect(resources[0]!.spec).toEqual({
      hosts: ['a'],
      http: [
        {
          match: [{ uri: { prefix: '/' }, headers: { 'end-user': { exact: 'jason' }, present: undefined }, ignoreUriCase: true }],
          timeout: 90_000,
          mirror: { host: 'b' },
          mirrorPercent: 20,
          fault: { delay: { percent: 10, fixedDelay: 5000 } },
          route: [{ destination: { host: 'a', port: { number: 80 } } }],
        },
      ],
    })
  })
})
