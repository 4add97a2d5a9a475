import { describe, expect, test } from 'vitest'
import { inject } from './inject.js'
import { readInjectConfig } from './inject-config.js'
import type { KubernetesObject, PodSpec } from './kubernetes.js'
import type { InjectOptions } from './options.js'

const pod = (annotations: Record<string, string> = {}): KubernetesObject => ({
  kind: 'Pod',
  metadata: { name: 'a', labels: { app: 'service-name' }, annotations },
  spec: { containers: [{ name: 'app', image: 'a:1', readinessProbe: { httpGet: { path: '/', port: 80 } } }] },
})
const specOf = (object: KubernetesObject, options: InjectOptions): PodSpec => {
  const result = inject(object, options)
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join(' '))
  const again = inject(result.value.object, options)
  expect(again.ok && again.value.object).toEqual(result.value.object)
  return result.value.object['spec'] as PodSpec
}

describe("profile '1.0'", () => {
  const { containers = [], initContainers, volumes } = specOf(pod(), { profile: '1.0' })

  test('istio-init by its flags, with NET_ADMIN alone', () =>
    expect(initContainers).toEqual([
      {
        name: 'istio-init',
        image: 'istio/proxy_init:1.0.0',
        imagePullPolicy: 'IfNotPresent',
        args: ['-p', '15001', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-b', '*', '-d', ''],
        resources: { limits: { memory: '128Mi' } },
        securityContext: { capabilities: { add: ['NET_ADMIN'] } },
      },
    ]))

  test('one proxy more, whose flags are on its command line; the app stays as it is', () => {
    expect(containers.map(({ name }) => name)).toEqual(['app', 'istio-proxy'])
    expect(containers[0]).toEqual((pod()['spec'] as PodSpec).containers?.[0])
    const proxy = containers[1]
    expect(proxy).toMatchObject({
      image: 'istio/proxyv2:1.0.0',
      imagePullPolicy: 'IfNotPresent',
      securityContext: { privileged: false, readOnlyRootFilesystem: true, runAsUser: 1337 },
      volumeMounts: [{ mountPath: '/etc/istio/proxy', name: 'istio-envoy' }],
    })
    expect(proxy?.resources).toEqual({ requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '2048Mi' } })
    expect(proxy?.command?.[2]?.replaceAll('\\\n', '').trim()).toBe(
      'exec /usr/local/bin/pilot-agent proxy sidecar --configPath /etc/istio/proxy --binaryPath /usr/local/bin/envoy --serviceCluster service-name --drainDuration 45s --parentShutdownDuration 1m0s --discoveryAddress istio-pilot.istio-system:15007 --discoveryRefreshDelay 1s --connectTimeout 10s --proxyAdminPort 15000 --controlPlaneAuthPolicy NONE',
    )
    expect(proxy?.env?.map(({ name }) => name)).toEqual([
      'POD_NAME',
      'POD_NAMESPACE',
      'INSTANCE_IP',
      'ISTIO_META_POD_NAME',
      'ISTIO_META_INTERCEPTION_MODE',
    ])
    expect(volumes).toEqual([{ name: 'istio-envoy', emptyDir: { medium: 'Memory' } }])
  })

  test('annotations and values count; words of a shell are quoted', () => {
    const spec = specOf(
      pod({ 'sidecar.istio.io/interceptionMode': 'TPROXY', 'traffic.sidecar.istio.io/excludeOutboundIPRanges': '10.0.0.0/8' }),
      { profile: '1.0', values: { global: { tag: '1.0.5' } }, meshConfig: { defaultConfig: { zipkinAddress: 'z; reboot' } } },
    )
    expect(spec.initContainers?.[0]?.image).toBe('istio/proxy_init:1.0.5')
    expect(spec.initContainers?.[0]?.args?.join(' ')).toContain('-m TPROXY -i * -x 10.0.0.0/8 -b *')
    expect(spec.containers?.[1]?.command?.[2]).toContain("'z; reboot'")
  })
})

describe('templates of one’s own', () => {
  const config = (templates: string): string => `policy: enabled\ndefaultTemplates: [sidecar, own]\ntemplates:\n${templates}`

  test('an overlay in YAML is merged strategically', () => {
    const read = readInjectConfig(
      config('  own: |\n    spec:\n      containers:\n      - name: app\n        env: [{name: GREETING, value: hello}]\n'),
    )
    if (!read.ok) throw new Error('refused')
    const spec = specOf(pod(), read.value)
    expect(spec.containers?.find(({ name }) => name === 'app')?.env).toEqual([{ name: 'GREETING', value: 'hello' }])
  })

  test('a Go template is refused with what to write instead; Istio’s own are native', () => {
    const own = readInjectConfig(config('  own: |\n    spec: {{ toYaml .Values }}\n'))
    expect(own.ok).toBe(false)
    expect(own.diagnostics[0]).toMatchObject({ code: 'inject.go_template', path: 'templates.own' })
    expect(own.diagnostics[0]?.message).toContain('name: istio-proxy')
    const istios = readInjectConfig(config('  sidecar: |\n    spec: {{ toYaml .Values }}\n  own: "{}"\n'))
    expect(istios).toMatchObject({ ok: true, diagnostics: [{ severity: 'warning', path: 'templates.sidecar' }] })
  })

  test('annotations for every injected pod', () => {
    const read = readInjectConfig('injectedAnnotations: {team: mesh}')
    if (!read.ok) throw new Error('refused')
    const result = inject(pod({ own: 'stays' }), read.value)
    expect(result.ok && result.value.object.metadata?.annotations).toMatchObject({ team: 'mesh', own: 'stays' })
    expect(readInjectConfig('injectedAnnotations: {team: 1}').ok).toBe(false)
  })

  test('the ConfigMap of a cluster, with its values', () => {
    const map = {
      kind: 'ConfigMap',
      data: { config: 'policy: disabled\nneverInjectSelector: [{matchLabels: {a: b}}]\n', values: '{"global":{"hub":"mine"}}' },
    }
    expect(readInjectConfig(JSON.stringify(map))).toMatchObject({
      value: { policy: 'disabled', neverInjectSelector: [{ matchLabels: { a: 'b' } }], values: { global: { hub: 'mine' } } },
    })
    expect(readInjectConfig('policy: maybe').diagnostics[0]).toMatchObject({ code: 'inject.invalid_config', path: 'policy' })
  })
})
