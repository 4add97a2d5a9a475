import { createHash } from 'node:crypto'
import { type AnyResource, readYaml } from '@heddle/config-model'
import type { Json } from './mesh.js'

/** What surrounds each case: Istio's own test writes it in Go. */
export interface Fixtures {
  readonly services: readonly FixtureService[]
  readonly secretsAndConfigMaps: readonly {
    readonly ObjectMeta: { readonly Name: string; readonly Namespace: string }
    readonly Data: Readonly<Record<string, string>>
  }[]
  readonly domainSuffix: string
}

interface FixtureService {
  readonly Hostname: string
  readonly Attributes: {
    readonly Namespace: string
    readonly Labels?: Readonly<Record<string, string>>
    readonly ClusterExternalAddresses?: { readonly Addresses: Readonly<Record<string, readonly string[]>> }
  }
  readonly Ports: readonly { readonly Name: string; readonly Port: number; readonly Protocol: string }[]
}

/** The objects, the namespaces among them: each that `input` or a service is in, labelled as the test labels them. */
export function fixtureObjects(fixtures: Fixtures, input: readonly AnyResource[]): readonly AnyResource[] {
  const objects = [
    ...fixtures.services.flatMap((service) => objectsOf(service, fixtures.domainSuffix)),
    ...fixtures.secretsAndConfigMaps.map(({ ObjectMeta, Data }) => secretOf(ObjectMeta.Name, ObjectMeta.Namespace, Data)),
    ...[...new Set(input.map(({ metadata }) => metadata.namespace))].filter((name) => name !== '').map(namespaceOf),
  ]
  const read = readYaml(objects.map((object) => JSON.stringify(object)).join('\n---\n'), { file: 'fixtures.yaml' })
  const bad = read.diagnostics.find(({ severity }) => severity === 'error')
  if (bad !== undefined) throw new Error(`fixtures: ${bad.path} ${bad.message}`)
  return read.resources
}

function namespaceOf(name: string): Json {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'istio.io/test-name-part': name.split('-')[0] } } }
}

function secretOf(name: string, namespace: string, data: Readonly<Record<string, string>>): Json {
  const metadata = { name, namespace }
  if (!('tls.crt' in data)) return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: data }
}

function objectsOf({ Hostname, Attributes, Ports }: FixtureService, domainSuffix: string): Json[] {
  const { Namespace: namespace, Labels: labels = {}, ClusterExternalAddresses: external } = Attributes
  const suffix = `.${namespace}.svc.${domainSuffix}`
  const ports = Ports.map(({ Name, Port, Protocol }) => ({ name: Name, port: Port, appProtocol: Protocol.toLowerCase() }))
  if (!Hostname.endsWith(suffix)) return [entryOf(Hostname, namespace, ports)]
  const name = hashed(Hostname.slice(0, -suffix.length))
  const ingress = Object.values(external?.Addresses ?? {}).flatMap((addresses) => addresses.map((ip) => ({ ip })))
  const metadata = { name, namespace, labels }
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP: '10.9.9.9', ports },
      status: { loadBalancer: { ingress } },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['1.1.1.1'] }],
      // The test gives its endpoints to the first port.
      ports: ports.map((port, i) => ({ name: port.name, port: i === 0 ? 8080 : 1 })),
    },
  ]
}

type EntryPort = { readonly name: string; readonly port: number; readonly appProtocol: string }

function entryOf(host: string, namespace: string, ports: readonly EntryPort[]): Json {
  const spec = {
    hosts: [host],
    ports: ports.map(({ name, port, appProtocol }) => ({ name, number: port, protocol: appProtocol.toUpperCase() })),
    resolution: 'STATIC',
    endpoints: [{ address: '1.1.1.1' }],
  }
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: host.replaceAll('.', '-'), namespace },
    spec,
  }
}

/** `INFPOOL(name)` stands for the name that Istio gives the Service of an InferencePool. */
function hashed(name: string): string {
  const pool = /^INFPOOL\((.*)\)$/.exec(name)?.[1]
  return pool === undefined ? name : `${pool}-ip-${createHash('sha256').update(pool).digest('hex').slice(0, 8)}`
}
