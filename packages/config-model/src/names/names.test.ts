import { describe, expect, it } from 'vitest'
import { domainProblem, hostSubsetOf, hostsOverlap, wildcardDomainProblem } from './host.js'
import { isCidr, isIpAddress } from './ip.js'
import { selects } from './labels.js'
import { kubernetesPortProtocol, parseProtocol } from './port-protocol.js'

it.each([
  ['1.2.3.4', true],
  ['1.2.3.04', false],
  ['1.2.3', false],
  ['256.1.1.1', false],
  ['::', true],
  ['::1', true],
  ['2001:db8::1', true],
  ['1:2:3:4:5:6:7:8', true],
  ['1:2:3:4:5:6:7::', true],
  ['1:2:3:4:5:6:7', false],
  ['1:2:3:4:5:6:7:8:9', false],
  [':::', false],
  ['::ffff:1.2.3.4', true],
  ['fe80::1%eth0', true],
  ['fe80::1%', false],
  ['12345::', false],
  ['', false],
])('%s is an address: %s', (text, wanted) => {
  expect(isIpAddress(text)).toBe(wanted)
})

it.each([
  ['10.0.0.0/8', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/08', false],
  ['::/0', true],
  ['::/129', false],
  ['fe80::1%e/64', false],
  ['10.0.0.0', false],
])('%s is a CIDR: %s', (text, wanted) => {
  expect(isCidr(text)).toBe(wanted)
})

describe('hosts', () => {
  it.each(['a', 'a.b', 'A.b', 'a.b.', 'a-b.c'])('%s is a domain', (host) => {
    expect(domainProblem(host)).toBeUndefined()
  })
  it.each(['', '-a', 'a_b', 'a..b', 'a.1', '*.a', 'x'.repeat(256)])('%s is none', (host) => {
    expect(domainProblem(host)).toBeDefined()
  })
  it.each(['*', '*.a', '*a.b', '*-a.b'])('%s is a wildcard domain', (host) => {
    expect(wildcardDomainProblem(host)).toBeUndefined()
  })
  it.each(['a.*', '**', 'a*.b'])('%s is none', (host) => {
    expect(wildcardDomainProblem(host)).toBeDefined()
  })
  it.each([
    ['a.com', 'a.com', true],
    ['*.com', 'a.com', true],
    ['a.com', '*.com', true],
    ['*.foo.com', '*.com', true],
    ['*.net', '*.com', false],
    ['a.com', 'b.com', false],
  ])('%s and %s overlap: %s', (a, b, wanted) => {
    expect(hostsOverlap(a, b)).toBe(wanted)
  })
  it.each([
    ['a.com', '*.com', true],
    ['*.com', 'a.com', false],
    ['*.foo.com', '*.com', true],
    ['*.com', '*.foo.com', false],
  ])('%s is within %s: %s', (inner, outer, wanted) => {
    expect(hostSubsetOf(inner, outer)).toBe(wanted)
  })
})

it.each([
  ['http', 80, undefined, 'HTTP'],
  ['http2-web', 80, undefined, 'HTTP2'],
  ['grpc-web-x', 80, undefined, 'GRPC-Web'],
  ['GRPC', 80, undefined, 'GRPC'],
  ['', 80, undefined, 'Unsupported'],
  ['web', 3306, undefined, 'TCP'],
  ['http', 80, 'kubernetes.io/h2c', 'HTTP2'],
  ['tcp', 80, 'https', 'HTTPS'],
  ['http', 80, 'my.company/thing', 'Unsupported'],
])('port %s %d with appProtocol %s is %s', (name, port, appProtocol, wanted) => {
  expect(kubernetesPortProtocol({ name, port, protocol: 'TCP', ...(appProtocol === undefined ? {} : { appProtocol }) })).toBe(
    wanted,
  )
})

it('knows UDP by the transport, and no protocol by a prototype name', () => {
  expect(kubernetesPortProtocol({ name: 'http', port: 53, protocol: 'UDP' })).toBe('UDP')
  expect(parseProtocol('constructor')).toBe('Unsupported')
})

it('selects by all labels', () => {
  expect(selects({ a: '1' }, { a: '1', b: '2' })).toBe(true)
  expect(selects({ a: '1', c: '3' }, { a: '1' })).toBe(false)
  expect(selects(undefined, {})).toBe(true)
})
