import { formatDiagnostic } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { readYaml } from './read.js'
import { keyOf } from './resource.js'

const VIRTUAL_SERVICE = `# the canary
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: apps
  namespace: nolen
spec:
  hosts: [apps]
  http:
  - route:
    - destination: {host: apps, subset: v1}
      weight: 90
    - destination:
        host: apps
        subset: v2
      weight: ten
`

const messages = (text: string): string[] => readYaml(text, { file: 'f.yaml' }).diagnostics.map(formatDiagnostic)

describe('readYaml', () => {
  it('takes the three API versions for one', () => {
    const text = ['v1alpha3', 'v1beta1', 'v1']
      .map((version, i) =>
        VIRTUAL_SERVICE.replace('v1alpha3', version).replace('name: apps', `name: apps${i}`).replace('ten', '10'),
      )
      .join('---\n')
    const { resources, diagnostics } = readYaml(text, { file: 'f.yaml' })
    expect(diagnostics).toEqual([])
    expect(resources.map(keyOf)).toEqual([
      'VirtualService nolen/apps0',
      'VirtualService nolen/apps1',
      'VirtualService nolen/apps2',
    ])
    expect(resources.map(({ spec }) => spec)).toEqual([resources[0]!.spec, resources[0]!.spec, resources[0]!.spec])
  })

  it('says file, line and path of what is wrong', () => {
    const { refused, resources } = readYaml(VIRTUAL_SERVICE, { file: 'f.yaml' })
    expect(messages(VIRTUAL_SERVICE)).toEqual([
      'f.yaml:16: error config.type VirtualService nolen/apps spec.http[0].route[1].weight: must be a whole number, but is the text "ten"',
    ])
    expect(refused).toEqual(['VirtualService nolen/apps'])
    expect(resources).toEqual([])
  })

  it('tells all problems of an object at once, at the lines where they are', () => {
    const text = VIRTUAL_SERVICE.replace('hosts: [apps]', 'host: [apps]').replace('subset: v2', 'subset: v_2')
    expect(messages(text)).toEqual([
      'f.yaml:8: error config.unknown_field VirtualService nolen/apps spec.host: unknown field "host": did you mean hosts?',
      expect.stringContaining('f.yaml:16: error config.type'),
      expect.stringContaining(
        'f.yaml:15: error config.invalid VirtualService nolen/apps spec.http[0].route[1].destination.subset: subset name is invalid',
      ),
    ])
  })

  it('goes on after documents that are bad', () => {
    const good = VIRTUAL_SERVICE.replace('ten', '10')
    const text = `a: [\n---\nkind: Service\n---\n- 1\n---\njust: values\n---\n${good}`
    const read = readYaml(text, { file: 'f.yaml' })
    expect(read.resources.map(keyOf)).toEqual(['VirtualService nolen/apps'])
    expect(read.unreadable).toBe(true)
    expect(read.diagnostics.map(({ code, severity, origin }) => [code, severity, origin?.line])).toEqual([
      ['config.yaml', 'error', 2],
      ['config.required', 'error', 3],
      ['config.not_an_object', 'error', 5],
      ['config.not_an_object', 'warning', 7],
    ])
  })

  it('opens Lists and finds lines in them', () => {
    const list = `kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Service\n  metadata: {name: s}\n  spec:\n    ports:\n    - port: no\n`
    const read = readYaml(list, { file: 'f.yaml' })
    expect(read.resources.map(keyOf)).toEqual(['Namespace /a'])
    expect(read.diagnostics[0]).toMatchObject({ path: 'spec.ports[0].port', subject: 'Service default/s', origin: { line: 12 } })
    const typed = readYaml(
      '{"kind": "ServiceList", "apiVersion": "v1", "items": [{"metadata": {"name": "x", "namespace": "y"}}]}',
      { file: 'f' },
    )
    expect(typed.resources.map(keyOf)).toEqual(['Service y/x'])
  })

  it('keeps objects of other kinds as they are', () => {
    const text =
      'kind: ClusterRole\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: reader}\nrules:\n- resources: [pods]\n'
    const { others, resources, diagnostics } = readYaml(text, { file: 'f' })
    expect(diagnostics).toEqual([])
    expect(resources).toEqual([])
    expect(others).toMatchObject([{ kind: 'ClusterRole', spec: { rules: [{ resources: ['pods'] }] } }])
  })

  it("does not take Gateway API's Gateway for Istio's", () => {
    const { resources } = readYaml(
      'kind: Gateway\napiVersion: gateway.networking.k8s.io/v1\nmetadata: {name: g}\nspec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}\n',
      { file: 'f' },
    )
    expect(resources.map(({ kind }) => kind)).toEqual(['KubernetesGateway'])
  })

  it('lets the last of two count, with a warning', () => {
    const entry = (address: string): string =>
      `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\nspec: {address: ${address}}\n`
    const { resources, diagnostics } = readYaml(`${entry('1.1.1.1')}---\n${entry('2.2.2.2')}`, { file: 'f' })
    expect(resources).toMatchObject([{ spec: { address: '2.2.2.2' } }])
    expect(diagnostics).toMatchObject([{ code: 'config.duplicate', severity: 'warning', origin: { line: 6 } }])
  })

  it('explains YAML booleans', () => {
    const text =
      'apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a, namespace: y}\nspec: {address: 1.1.1.1}\n'
    expect(messages(text)[0]).toContain('put it in quotes')
  })

  it('finds fields by path, and the nearest part of what is not written', () => {
    const { origins } = readYaml(VIRTUAL_SERVICE.replace('ten', '10'), { file: 'f.yaml' })
    const line = (path: string): number | undefined => origins.locate('VirtualService nolen/apps', path)?.line
    expect([
      line(''),
      line('spec.hosts'),
      line('spec.http[0].route[1]'),
      line('spec.http[0].route[1].destination.port.number'),
    ]).toEqual([2, 8, 13, 13])
    expect(origins.locate('VirtualService nolen/other', '')).toBeUndefined()
  })

  it('reads 10,000 documents of which 100 are bad', { timeout: 60_000 }, () => {
    const documents = Array.from({ length: 10_000 }, (_, i) =>
      i % 100 === 50
        ? 'x: ['
        : `apiVersion: v1\nkind: Service\nmetadata: {name: s${i}}\nspec: {ports: [{port: 80, name: http}]}\n`,
    )
    const { resources, diagnostics } = readYaml(documents.join('\n---\n'), { file: 'f' })
    expect([resources.length, diagnostics.length]).toEqual([9900, 100])
  })
})

it('is not impressed by hostile keys', () => {
  const text =
    'apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {__proto__: x, constructor: z}}\nspec: {__proto__: {polluted: yes}, ports: [{port: 80, __proto__: {name: evil}}]}\n'
  const { resources, diagnostics } = readYaml(text, { file: 'f' })
  expect(diagnostics).toEqual([])
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(resources[0]!.spec).toEqual({ type: 'ClusterIP', ports: [{ name: '', protocol: 'TCP', port: 80 }] })
  expect(Object.keys(resources[0]!.metadata.labels)).toEqual(['__proto__', 'constructor'])
})

it('takes megabytes of one text', { timeout: 60_000 }, () => {
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  big: "${'x'.repeat(20_000_000)}"\n`
  expect(readYaml(text, { file: 'f' }).resources).toHaveLength(1)
})
