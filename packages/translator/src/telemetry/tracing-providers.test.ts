import { createStore, type MeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { pilotFeatures } from '../pilot-features.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: spans, namespace: watch}
spec: {clusterIP: 10.1.1.1, ports: [{name: http, port: 80}, {name: grpc, port: 90}]}
`
const HOST = 'spans.watch.svc.cluster.local'
const PROVIDERS = `extensionProviders:
- {name: Zip, zipkin: {service: ${HOST}, port: 80, path: /in, timeout: 2s, traceContextOption: USE_B3_WITH_W3C_PROPAGATION, headers: [{name: a, value: b}]}}
- {name: dog, datadog: {service: watch/${HOST}, port: 80, maxTagLength: 9}}
- {name: walk, skywalking: {service: ${HOST}, port: 90}}
- {name: http, opentelemetry: {service: ${HOST}, port: 80, http: {path: v1/traces, timeout: 3s, headers: [{name: key, envName: SPANS_KEY}]}}}
- {name: grpc, opentelemetry: {service: ${HOST}, port: 90, grpc: {timeout: 1s, initialMetadata: [{name: k, value: v}]}, resourceDetectors: {dynatrace: {}}}}
- {name: dyna, opentelemetry: {service: ${HOST}, port: 80, http: {path: /api/v2/otlp, timeout: 3s}, dynatraceSampler: {tenant: t, clusterId: 7}}}
- {name: nowhere, zipkin: {service: nobody.example, port: 80}}
`

/** `tracing` of virtualInbound's connection manager where the mesh's Telemetry says that. */
function tracingWith(tracing: string, env = {}, version = '1.32.0'): Record<string, unknown> | undefined {
  const meshConfig = (readMeshConfig(PROVIDERS) as { value: MeshConfig }).value
  const store = createStore({ meshConfig })
  const telemetry = `---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: t, namespace: istio-system}\nspec: {tracing: ${tracing}}\n`
  store.apply({ set: readYaml(SERVICE + telemetry, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1', version })
  if (!proxy.ok) throw new Error('no proxy')
  const { resources } = translate(store.snapshot(), proxy.value, { features: pilotFeatures(env) })
  const listeners = toJson(resources).listeners as readonly Listener[]
  const inbound = listeners.find((l) => l.name === 'virtualInbound')
  const config = inbound?.filter_chains?.flatMap((c) => c.filters ?? []).find((f) => f.name?.endsWith('manager'))?.typed_config
  return (config as { tracing?: Record<string, unknown> } | undefined)?.tracing
}

const cluster = (port: number): string => `outbound|${port}||${HOST}`
const type = (name: string): string => `type.googleapis.com/envoy.config.trace.v3.${name}`

test.each([
  [
    'zip',
    {
      '@type': type('ZipkinConfig'),
      collector_endpoint_version: 'HTTP_JSON',
      trace_id_128bit: true,
      shared_span_context: false,
      trace_context_option: 'USE_B3_WITH_W3C_PROPAGATION',
      collector_service: {
        http_uri: { uri: `http://${HOST}/in`, cluster: cluster(80), timeout: '2s' },
        request_headers_to_add: [{ header: { key: 'a', value: 'b' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }],
      },
    },
  ],
  [
    'dog',
    {
      '@type': type('DatadogConfig'),
      collector_cluster: cluster(80),
      service_name: 'tea-0.shop',
      collector_hostname: HOST,
    },
  ],
  ['walk', { '@type': type('SkyWalkingConfig'), grpc_service: { envoy_grpc: { cluster_name: cluster(90), authority: HOST } } }],
  [
    'http',
    {
      '@type': type('OpenTelemetryConfig'),
      service_name: 'tea-0.shop',
      http_service: {
        http_uri: { uri: `${HOST}/v1/traces`, cluster: cluster(80), timeout: '3s' },
        request_headers_to_add: [{ header: { key: 'key', value: 'from env' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }],
      },
    },
  ],
])('spans go to %s', (name, typed_config) => {
  const tracing = tracingWith(`[{providers: [{name: ${name}}]}]`, { SPANS_KEY: 'from env' })
  expect(tracing).toMatchObject({ provider: { typed_config } })
})

test('gRPC export, with what it finds out about its place', () => {
  expect(tracingWith('[{providers: [{name: grpc}]}]')).toMatchObject({
    provider: {
      typed_config: {
        grpc_service: { timeout: '1s', initial_metadata: [{ key: 'k', value: 'v' }] },
        resource_detectors: [{ name: 'envoy.tracers.opentelemetry.resource_detectors.dynatrace' }],
      },
    },
  })
})

test('a sampler sees every span, and asks where the exporter sends to', () => {
  expect(tracingWith('[{providers: [{name: dyna}], randomSamplingPercentage: 5}]')).toMatchObject({
    random_sampling: { value: 100 },
    provider: {
      typed_config: {
        sampler: {
          typed_config: {
            tenant: 't',
            cluster_id: 7,
            http_service: { http_uri: { uri: `${HOST}/api/v2/samplingConfiguration`, timeout: '3s' } },
          },
        },
      },
    },
  })
})

test.each(['nowhere', 'unheard-of', 'prometheus'])('no spans where there is nobody to take them: %s', (name) => {
  expect(tracingWith(`[{providers: [{name: ${name}}]}]`)).toBeUndefined()
})

test('later settings go over earlier ones, each alone; those for clients are not for servers', () => {
  const tracing = tracingWith(
    '[{providers: [{name: walk}], randomSamplingPercentage: 10, customTags: {a: {literal: {value: b}}}}, {enableIstioTags: false, disableContextPropagation: true}, {match: {mode: CLIENT}, disableSpanReporting: true}]',
  )
  expect(tracing).toMatchObject({
    random_sampling: { value: 10 },
    spawn_upstream_span: true,
    no_context_propagation: true,
    custom_tags: [{ tag: 'a', literal: { value: 'b' } }],
  })
})

test('PILOT_TRACE_SAMPLING holds where nobody says another', () => {
  expect(tracingWith('[{providers: [{name: walk}]}]', { PILOT_TRACE_SAMPLING: '42.5' })).toMatchObject({
    random_sampling: { value: 42.5 },
  })
})

test("Zipkin's collector as proxies before 1.29 read it, and no propagation that those before 1.28 do not know", () => {
  const provider = (version: string): unknown => tracingWith('[{providers: [{name: zip}]}]', {}, version)?.['provider']
  const older = { collector_cluster: cluster(80), collector_endpoint: '/in', collector_hostname: HOST }
  const config = expect.objectContaining({ ...older, trace_context_option: 'USE_B3_WITH_W3C_PROPAGATION' })
  expect(provider('1.28.0')).toMatchObject({ typed_config: config })
  expect(provider('1.27.4')).toMatchObject({ typed_config: expect.objectContaining(older) })
  expect(JSON.stringify(provider('1.27.4'))).not.toContain('trace_context_option')
})
