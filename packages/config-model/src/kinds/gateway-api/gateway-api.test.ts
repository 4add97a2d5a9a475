import { formatDiagnostic } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { readYaml } from '../../read.js'

const GROUP = 'gateway.networking.k8s.io'

function said(kind: string, spec: string, version = 'v1'): string[] {
  const text = `apiVersion: ${GROUP}/${version}\nkind: ${kind}\nmetadata: {name: x, namespace: ns}\nspec: ${spec}\n`
  return readYaml(text, { file: 'f' })
    .diagnostics.map(formatDiagnostic)
    .map((line) => line.replace(/^f:\d+: | \w+ ns\/x/g, ''))
}

function read(kind: string, spec: string, version = 'v1'): object | undefined {
  const text = `apiVersion: ${GROUP}/${version}\nkind: ${kind}\nmetadata: {name: x, namespace: ns}\nspec: ${spec}\n`
  return readYaml(text, { file: 'f' }).resources[0]
}

const BACKEND = 'backendRefs: [{name: a, port: 80}]'

describe('the two Gateways are told apart by their group', () => {
  const spec = '{gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]}'
  it.each(['v1', 'v1beta1'])('%s', (version) => {
    expect(read('Gateway', spec, version)).toMatchObject({ kind: 'KubernetesGateway', spec: { gatewayClassName: 'istio' } })
  })
})

describe('rules of the CRD', () => {
  const listener = (rest: string): string => `{gatewayClassName: c, listeners: [{name: a, port: 80, ${rest}}]}`
  const rule = (text: string): string => `{rules: [${text}]}`
  const filter = (text: string): string => rule(`{filters: [${text}]}`)
  it.each<[string, string, string, RegExp]>([
    ['no listeners', 'ListenerSet', '{parentRef: {name: g}, listeners: []}', /config.required spec.listeners: /],
    [
      'TLS on HTTP',
      'Gateway',
      listener('protocol: HTTP, tls: {mode: Passthrough}'),
      /config.conflict spec.listeners\[0\].tls: .*protocol HTTP/,
    ],
    ['a host on TCP', 'Gateway', listener('protocol: TCP, hostname: a.com'), /config.conflict spec.listeners\[0\].hostname: /],
    ['port 0', 'Gateway', listener('protocol: HTTP').replace('80', '0'), /config.port spec.listeners\[0\].port: /],
    [
      'twin listeners',
      'Gateway',
      '{gatewayClassName: c, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]}',
      /config.duplicate spec.listeners/,
    ],
    [
      'a path without slash',
      'HTTPRoute',
      rule(`{matches: [{path: {value: a}}], ${BACKEND}}`),
      /config.invalid .*start with '\/'/,
    ],
    [
      'a filter without its settings',
      'HTTPRoute',
      filter('{type: RequestRedirect}'),
      /config.required spec.rules\[0\].filters\[0\].requestRedirect: /,
    ],
    [
      'redirect and rewrite',
      'HTTPRoute',
      filter('{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}}'),
      /config.conflict .*but not both/,
    ],
    [
      'a Service without port',
      'HTTPRoute',
      rule('{backendRefs: [{name: a}]}'),
      /config.required .*port is required for a Service/,
    ],
  ])('%s', (_, kind, spec, want) => {
    expect(said(kind, spec)).toEqual([expect.stringMatching(want)])
  })
})
