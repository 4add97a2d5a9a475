import { createStore, type MeshConfig, readMeshConfig, readYaml } from '@heddle/config-model'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

const HOST = 'logs.watch.svc.cluster.local'
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: logs, namespace: watch}
spec: {clusterIP: 10.1.1.1, ports: [{name: grpc, port: 90}]}
`

function logWith(provider: string): unknown {
  const mesh = `extensionProviders: [{name: p, ${provider}}]\ndefaultProviders: {accessLogging: [p]}\n`
  const store = createStore({ meshConfig: (readMeshConfig(mesh) as { value: MeshConfig }).value })
  store.apply({ set: readYaml(SERVICE, { file: 'f.yaml' }).resources })
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1' })
  if (!proxy.ok) throw new Error('no proxy')
  const listeners = toJson(translate(store.snapshot(), proxy.value).resources).listeners as readonly Listener[]
  return listeners.find(({ name }) => name === 'virtualInbound')?.access_log?.[0]
}

const common = (log_name: string, filter_state_objects_to_log: readonly string[]): object => ({
  log_name,
  grpc_service: { envoy_grpc: { cluster_name: `outbound|90||${HOST}`, authority: HOST } },
  transport_api_version: 'V3',
  filter_state_objects_to_log,
})

test('HTTP', () => {
  const fields = 'filterStateObjectsToLog: [own], additionalRequestHeadersToLog: [x-a], additionalResponseTrailersToLog: [x-t]'
  expect(logWith(`envoyHttpAls: {service: ${HOST}, port: 90, logName: mine, ${fields}}`)).toMatchObject({
    name: 'envoy.access_loggers.http_grpc',
    typed_config: {
      common_config: common('mine', ['own']),
      additional_request_headers_to_log: ['x-a'],
      additional_response_trailers_to_log: ['x-t'],
    },
  })
})

test('TCP', () => {
  expect(logWith(`envoyTcpAls: {service: ${HOST}, port: 90}`)).toMatchObject({
    name: 'envoy.tcp_grpc_access_log',
    typed_config: { common_config: common('tcp_envoy_accesslog', ['upstream_peer', 'downstream_peer']) },
  })
})

test('OpenTelemetry: a text and attributes', () => {
  const format = 'logFormat: {text: "%PROTOCOL%", labels: {z: "%REQ_WITHOUT_QUERY(:PATH)%", a: "1"}}'
  expect(logWith(`envoyOtelAls: {service: ${HOST}, port: 90, ${format}}`)).toMatchObject({
    name: 'envoy.access_loggers.open_telemetry',
    typed_config: {
      disable_builtin_labels: true,
      body: { string_value: '%PROTOCOL%' },
      attributes: {
        values: [
          { key: 'a', value: { string_value: '1' } },
          { key: 'z', value: { string_value: '%REQ_WITHOUT_QUERY(:PATH)%' } },
        ],
      },
      formatters: [{ name: 'envoy.formatter.req_without_query' }],
    },
  })
})

test('nothing where the service is unknown', () => {
  expect(logWith('envoyTcpAls: {service: nobody.example, port: 90}')).toBeUndefined()
})

test('the service that the bootstrap names', () => {
  const meshConfig = (readMeshConfig('enableEnvoyAccessLogService: true\naccessLogFile: /log\n') as { value: MeshConfig }).value
  const proxy = proxyFromJson({ id: 'tea-0', namespace: 'shop', ip: '10.0.0.1' })
  if (!proxy.ok) throw new Error('no proxy')
  const listeners = toJson(translate(createStore({ meshConfig }).snapshot(), proxy.value).resources).listeners as Listener[]
  const text = JSON.stringify(listeners.find(({ name }) => name === 'virtualInbound'))
  expect(
    text
      .match(/"log_name":"[a-z_]+"/g)
      ?.sort()
      .filter((name, i, all) => name !== all[i - 1]),
  ).toEqual(['"log_name":"http_envoy_accesslog"', '"log_name":"listener_envoy_accesslog"', '"log_name":"tcp_envoy_accesslog"'])
  expect(text).toContain('"cluster_name":"envoy_accesslog_service"')
})
