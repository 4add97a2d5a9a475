import { createStore, type MeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import { describe, expect, test } from 'vitest'
import { LISTENER_TYPE } from '../message.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const PROVIDERS = `extensionProviders:
- {name: a, envoyFileAccessLog: {path: /a, logFormat: {text: "%PROTOCOL%"}}}
- {name: b, envoyFileAccessLog: {path: /b, logFormat: {labels: {q: "%REQ_WITHOUT_QUERY(:PATH)%"}}, omitEmptyValues: true}}
- {name: trace, zipkin: {service: z.example, port: 1}}
`
const telemetry = (namespace: string, logging: string, selector = ''): string =>
  `---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: t${selector.length}, namespace: ${namespace}}\nspec: {${selector}accessLogging: ${logging}}\n`

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a resource is checked by reading it
type Json = any

/** Logs of what goes out and of what comes in, by the listeners' own logs. */
function logs(yaml: string, mesh = ''): { out: Json[]; in: Json[] } {
  const store = createStore({ meshConfig: (readMeshConfig(PROVIDERS + mesh) as { value: MeshConfig }).value })
  const read = readYaml(yaml, { file: 'f.yaml' })
  expect(read.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  store.apply({ set: read.resources })
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1', labels: { app: 'tea' } })
  if (!proxy.ok) throw new Error('no proxy')
  const listeners = translate(store.snapshot(), proxy.value).resources.groups.flatMap(
    (g) => (g.resources.get(LISTENER_TYPE) ?? []) as Json[],
  )
  const of = (name: string): Json[] => listeners.find((l) => l.name === name)?.access_log ?? []
  return { out: of('virtualOutbound'), in: of('virtualInbound') }
}
const paths = (list: Json[]): string[] => list.map((l) => l.typed_config.path)

describe('who logs', () => {
  test.each<[string, string, string, string[], string[]]>([
    ['nobody by default', '', '', [], []],
    ['the file of the mesh config', '', 'accessLogFile: /mesh', ['/mesh'], ['/mesh']],
    ['default providers instead', '', 'accessLogFile: /mesh\ndefaultProviders: {accessLogging: [a]}', ['/a'], ['/a']],
    [
      'Telemetry instead',
      telemetry('istio-system', '[{providers: [{name: b}]}]'),
      'defaultProviders: {accessLogging: [a]}',
      ['/b'],
      ['/b'],
    ],
    ['several, by name', telemetry('shop', '[{providers: [{name: b}, {name: a}]}]'), '', ['/a', '/b'], ['/a', '/b']],
    [
      'the narrowest',
      telemetry('istio-system', '[{providers: [{name: a}]}]') + telemetry('shop', '[{providers: [{name: b}]}]'),
      '',
      ['/b'],
      ['/b'],
    ],
    [
      'that of the workload',
      telemetry('shop', '[{providers: [{name: a}]}]') +
        telemetry('shop', '[{providers: [{name: b}]}]', 'selector: {matchLabels: {app: tea}}, '),
      '',
      ['/b'],
      ['/b'],
    ],
    [
      'not that of another workload',
      telemetry('shop', '[{providers: [{name: b}]}]', 'selector: {matchLabels: {app: cake}}, '),
      '',
      [],
      [],
    ],
    ['servers only', telemetry('shop', '[{match: {mode: SERVER}, providers: [{name: a}]}]'), '', [], ['/a']],
    [
      'the inherited ones, switched off for clients',
      telemetry('istio-system', '[{providers: [{name: a}]}]') + telemetry('shop', '[{match: {mode: CLIENT}, disabled: true}]'),
      '',
      [],
      ['/a'],
    ],
    [
      'no provider of another kind',
      telemetry('shop', '[{providers: [{name: trace}, {name: nobody}]}]'),
      'accessLogFile: /mesh',
      [],
      [],
    ],
    ['the built-in one', telemetry('shop', '[{providers: [{name: envoy}]}]'), '', ['/dev/stdout'], ['/dev/stdout']],
  ])('%s', (_name, yaml, mesh, outbound, inbound) => {
    const found = logs(yaml, mesh)
    expect([paths(found.out), paths(found.in)]).toEqual([outbound, inbound])
  })
})

describe('what is logged', () => {
  test('text gets a line end, labels are JSON with their formatter', () => {
    const [a, b] = logs(telemetry('shop', '[{providers: [{name: a}, {name: b}]}]')).in
    expect(a.typed_config.log_format).toEqual({ text_format_source: { inline_string: '%PROTOCOL%\n' } })
    expect(b.typed_config.log_format).toMatchObject({
      json_format: { q: '%REQ_WITHOUT_QUERY(:PATH)%' },
      omit_empty_values: true,
      formatters: [{ name: 'envoy.formatter.req_without_query' }],
    })
  })

  test('the built-in provider speaks the format of the mesh config', () => {
    const [one] = logs(telemetry('shop', '[{providers: [{name: envoy}]}]'), 'accessLogFormat: "%PROTOCOL%"').in
    expect(one.typed_config.log_format.text_format_source.inline_string).toBe('%PROTOCOL%\n')
  })

  test('an expression chooses, beside the choice of the listener', () => {
    const [one] = logs(telemetry('shop', '[{providers: [{name: a}], filter: {expression: "response.code >= 400"}}]')).in
    expect(one.filter.and_filter.filters).toMatchObject([
      { response_flag_filter: { flags: ['NR'] } },
      { extension_filter: { typed_config: { expression: 'response.code >= 400' } } },
    ])
  })
})
