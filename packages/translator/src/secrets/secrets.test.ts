import { createStore, type MeshSnapshot, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { SECRET_TYPE } from '../message.js'
import { type ProxyDescriptor, proxyFromNode } from '../proxy.js'
import { translate } from '../translate.js'
import { parseCredential } from './credential.js'

const gateway = (mode: string, credentialName: string): string => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {app: edge}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: ${mode}, credentialName: ${credentialName}}}
`
const secret = (name: string, data: Record<string, string>, namespace = 'edge'): string =>
  `\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${namespace}}\nstringData: ${JSON.stringify(data)}\n`
const KEY_PAIR = { 'tls.crt': 'CHAIN', 'tls.key': 'KEY' }

function snapshotOf(yaml: string): MeshSnapshot {
  const store = createStore()
  store.apply({ set: readYaml(yaml, { file: 'mesh.yaml' }).resources })
  return store.snapshot()
}

function edge(): ProxyDescriptor {
  const proxy = proxyFromNode({ id: 'router~127.0.0.1~edge.edge~edge.svc.cluster.local', metadata: { LABELS: { app: 'edge' } } })
  if (!proxy.ok) throw new Error(proxy.diagnostics[0]?.message)
  return proxy.value
}

function secretsOf(yaml: string, options = {}): { secrets: object[]; codes: string[] } {
  const { resources, diagnostics } = translate(snapshotOf(yaml), edge(), options)
  return {
    secrets: resources.groups.flatMap((g) => g.resources.get(SECRET_TYPE) ?? []),
    codes: diagnostics.map((d) => d.code).filter((code) => code.startsWith('secret.')),
  }
}

describe('secrets by credentialName', () => {
  test('of another namespace need a ReferenceGrant, and a name that stems from the Gateway API', () => {
    const grant = (from: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: edge, namespace: vault}
spec: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: ${from}}], to: [{group: "", kind: Secret, name: site}]}
`
    const yaml = gateway('SIMPLE', 'kubernetes-gateway://vault/site') + secret('site', KEY_PAIR, 'vault')
    expect(secretsOf(yaml).codes).toEqual(['secret.other_namespace'])
    expect(secretsOf(yaml + grant('shop')).codes).toEqual(['secret.other_namespace'])
    expect(secretsOf(yaml + grant('edge'))).toMatchObject({ secrets: [{ name: 'kubernetes-gateway://vault/site' }], codes: [] })
  })

  test('are those of the gateway’s own namespace', () => {
    expect(secretsOf(gateway('SIMPLE', 'site') + secret('site', KEY_PAIR))).toEqual({
      secrets: [
        {
          name: 'kubernetes://site',
          tls_certificate: { certificate_chain: { inline_bytes: btoa('CHAIN') }, private_key: { inline_bytes: btoa('KEY') } },
        },
      ],
      codes: [],
    })
  })

  test.each([
    ['inside the Secret itself', secret('site', { ...KEY_PAIR, 'ca.crt': 'ROOT' })],
    ['in a Secret of its own', secret('site', KEY_PAIR) + secret('site-cacert', { cacert: 'ROOT' })],
  ])('MUTUAL finds the roots %s', (_, secrets) => {
    expect(secretsOf(gateway('MUTUAL', 'site') + secrets).secrets).toContainEqual({
      name: 'kubernetes://site-cacert',
      validation_context: { trusted_ca: { inline_bytes: btoa('ROOT') } },
    })
  })

  test('a generic secret comes before a tls one, and a CRL goes with its roots', () => {
    const both = { ...KEY_PAIR, cert: 'GENERIC', key: 'K', cacert: 'ROOT', crl: 'CRL' }
    const { secrets } = secretsOf(gateway('MUTUAL', 'site') + secret('site', both))
    expect(secrets).toMatchObject([
      { tls_certificate: { certificate_chain: { inline_bytes: btoa('GENERIC') } } },
      { validation_context: { crl: { inline_bytes: btoa('CRL') } } },
    ])
  })

  test.each([
    ['secret.not_found', gateway('SIMPLE', 'site')],
    ['secret.not_found', gateway('SIMPLE', 'site') + secret('site', KEY_PAIR, 'shop')],
    ['secret.other_namespace', gateway('SIMPLE', 'kubernetes://shop/site') + secret('site', KEY_PAIR, 'shop')],
    ['secret.no_key_pair', gateway('SIMPLE', 'site') + secret('site', { 'tls.crt': 'CHAIN', 'tls.key': '' })],
  ])('%s: the rest of the gateway goes on without it', (code, yaml) => {
    expect(secretsOf(yaml)).toEqual({ secrets: [], codes: [code] })
  })

  test('go to nobody who has not proved who it is', () => {
    expect(secretsOf(gateway('SIMPLE', 'site') + secret('site', KEY_PAIR), { authenticated: false }).secrets).toEqual([])
  })

  test('stay the same object while the Secret does', () => {
    const snapshot = snapshotOf(gateway('SIMPLE', 'site') + secret('site', KEY_PAIR))
    const once = (): unknown => translate(snapshot, edge()).resources.groups.at(-1)?.resources.get(SECRET_TYPE)?.[0]
    expect(once()).toBe(once())
  })
})

test.each([
  ['kubernetes://site', { namespace: 'edge', name: 'site', rootOnly: false }],
  ['kubernetes://shop/site-cacert', { namespace: 'shop', name: 'site-cacert', rootOnly: true }],
  ['kubernetes-gateway://shop/site', { namespace: 'shop', name: 'site', rootOnly: false }],
  ['kubernetes-gateway://site', undefined],
  ['kubernetes://', undefined],
  ['kubernetes://a/b/c', undefined],
  ['file-cert:a~b', undefined],
])('%s', (name, expected) => {
  expect(parseCredential(name, 'edge')).toEqual(expected === undefined ? undefined : { resourceName: name, ...expected })
})
