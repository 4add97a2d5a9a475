import { describe, expect, test } from 'vitest'
import { inject } from '../inject.js'
import type { Container, PodSpec, PodTemplate } from '../kubernetes.js'
import type { InjectOptions } from '../options.js'

function injected(annotations: Record<string, string>, options: InjectOptions = {}, spec: PodSpec = {}): PodTemplate {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop', annotations },
    spec: { containers: [{ name: 'app', image: 'app' }], ...spec },
  }
  const result = inject(pod, options)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value.object as PodTemplate
}

function container(pod: PodTemplate, name = 'istio-proxy'): Container {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((item) => item.name === name)!
}

const env = (pod: PodTemplate, name: string): string | undefined => container(pod).env?.find((item) => item.name === name)?.value

describe('image', () => {
  const image = (annotations: Record<string, string>, options: InjectOptions = {}): string | undefined =>
    container(injected(annotations, options)).image
  const values = { global: { hub: 'hub', tag: '1.2' } }

  test('hub, name, tag and type', () => {
    expect(image({}, { values })).toBe('hub/proxyv2:1.2')
    expect(image({ 'sidecar.istio.io/proxyImageType': 'distroless' }, { values })).toBe('hub/proxyv2:1.2-distroless')
    expect(
      image({ 'sidecar.istio.io/proxyImageType': 'debug' }, { values: { global: { hub: 'hub', tag: '1.2-distroless' } } }),
    ).toBe('hub/proxyv2:1.2-debug')
    expect(image({}, { values, meshConfig: { defaultConfig: { image: { imageType: 'debug' } } } })).toBe('hub/proxyv2:1.2-debug')
    expect(image({ 'sidecar.istio.io/proxyImage': 'my/proxy:3' }, { values })).toBe('my/proxy:3')
  })
})

describe('probes', () => {
  const spec: PodSpec = {
    containers: [
      {
        name: 'app',
        ports: [{ name: 'web', containerPort: 8080 }],
        livenessProbe: { tcpSocket: { port: 'web' }, periodSeconds: 7 },
        readinessProbe: { grpc: { port: 9090 }, timeoutSeconds: 2 },
        startupProbe: { httpGet: { port: 'nobody' } },
        lifecycle: { preStop: { httpGet: { path: '/bye', port: 8080, scheme: 'HTTPS' } } },
      },
    ],
  }

  test('of all sorts go to the agent, which is told what to ask', () => {
    const pod = injected({}, {}, spec)
    const app = container(pod, 'app')
    expect(app.livenessProbe).toEqual({ httpGet: { path: '/app-health/app/livez', port: 15020 }, periodSeconds: 7 })
    expect(app.readinessProbe).toEqual({ httpGet: { path: '/app-health/app/readyz', port: 15020 }, timeoutSeconds: 2 })
    expect(app.lifecycle?.preStop).toEqual({ httpGet: { path: '/app-lifecycle/app/prestopz', port: 15020, scheme: 'HTTP' } })
    expect(JSON.parse(env(pod, 'ISTIO_KUBE_APP_PROBERS')!)).toEqual({
      '/app-health/app/livez': { tcpSocket: { port: 8080 } },
      '/app-health/app/readyz': { grpc: { port: 9090 }, timeoutSeconds: 2 },
      '/app-lifecycle/app/prestopz': { httpGet: { path: '/bye', port: 8080, scheme: 'HTTPS' } },
    })
  })

  test('by an unknown port name stay', () => {
    expect(container(injected({}, {}, spec), 'app').startupProbe).toEqual({ httpGet: { port: 'nobody' } })
  })

  test('stay where the agent has no port', () => {
    expect(container(injected({ 'status.sidecar.istio.io/port': '0' }, {}, spec), 'app').livenessProbe).toEqual(
      spec.containers![0]!.livenessProbe,
    )
  })
})

describe('Prometheus', () => {
  test('the app’s annotations, in any spelling, move to the agent', () => {
    const pod = injected({ 'prometheus.io.port': '9100', 'prometheus-io/path': '/m' })
    expect(JSON.parse(env(pod, 'ISTIO_PROMETHEUS_ANNOTATIONS')!)).toEqual({ scrape: '', path: '/m', port: '9100' })
    expect(pod.metadata?.annotations).toMatchObject({ 'prometheus.io/port': '15020', 'prometheus.io/path': '/stats/prometheus' })
    expect(pod.metadata?.annotations).not.toHaveProperty(['prometheus.io.port'])
  })

  test('merging can be turned off', () => {
    for (const pod of [
      injected({ 'prometheus.istio.io/merge-metrics': 'false' }),
      injected({}, { meshConfig: { enablePrometheusMerge: false } }),
    ]) {
      expect(pod.metadata?.annotations).not.toHaveProperty(['prometheus.io/port'])
    }
  })
})

describe('capture', () => {
  const args = (annotations: Record<string, string>, options: InjectOptions = {}): string =>
    container(injected(annotations, options), 'istio-init').args!.join(' ')

  test('the status port is excluded once', () => {
    expect(args({})).toContain('-d 15090,15021,15020 ')
    expect(args({ 'traffic.sidecar.istio.io/excludeInboundPorts': '15020,7' })).toContain('-d 15090,15021,15020,7 ')
    expect(args({ 'status.sidecar.istio.io/port': '0' })).toContain('-d 15090,15021 ')
  })

  test('values and mesh config count where no annotation does', () => {
    const options: InjectOptions = {
      values: { global: { proxy: { excludeOutboundPorts: '5' } } },
      meshConfig: { proxyListenPort: 15555 },
    }
    expect(args({}, options)).toMatch(/-p 15555 .* -o 5 /)
    expect(args({ 'traffic.sidecar.istio.io/excludeOutboundPorts': '6' }, options)).toContain('-o 6 ')
  })

  test('with CNI the init container only checks', () => {
    const pod = injected({}, { values: { pilot: { cni: { enabled: true } } } })
    expect(container(pod, 'istio-init')).toBeUndefined()
    expect(container(pod, 'istio-validation').args).toEqual(expect.arrayContaining(['--run-validation', '--skip-rule-apply']))
    expect(pod.metadata?.annotations).toMatchObject({ 'sidecar.istio.io/interceptionMode': 'REDIRECT' })
  })

  test('Multus gets its network, into either form of its list', () => {
    const values = { pilot: { cni: { enabled: true, provider: 'multus' } } }
    const networks = (annotations: Record<string, string>): string | undefined =>
      injected(annotations, { values }).metadata?.annotations?.['k8s.v1.cni.cncf.io/networks']
    const name = 'k8s.v1.cni.cncf.io/networks'
    expect(networks({})).toBe('default/istio-cni')
    expect(networks({ [name]: 'mine' })).toBe('mine, default/istio-cni')
    expect(networks({ [name]: '[{"name": "mine"}]' })).toBe('[{"name": "mine"}, {"name": "default/istio-cni"}]')
    expect(networks({ [name]: 'a, default/istio-cni' })).toBe('a, default/istio-cni')
    expect(networks({ [name]: 'no json]' })).toBe('no json]')
  })

  test('the rest of the flags', () => {
    const values = { global: { nativeNftables: true, logAsJson: true, proxy_init: { forceApplyIptables: true } } }
    expect(
      args({ 'istio.io/reroute-virtual-interfaces': 'net1' }, { values, meshConfig: { proxyInboundListenPort: 15_556 } }),
    ).toMatch(/-z 15556 .* -k net1 --log_output_level=default:info --log_as_json --force-apply --native-nftables$/)
  })

  test('NONE captures nothing', () => {
    expect(container(injected({ 'sidecar.istio.io/interceptionMode': 'NONE' }), 'istio-init')).toBeUndefined()
  })
})

describe('order', () => {
  const names = (pod: PodTemplate, list: 'containers' | 'initContainers'): string =>
    (pod.spec?.[list] ?? []).map(({ name }) => name).join()
  const spec: PodSpec = { initContainers: [{ name: 'setup' }, { name: 'early' }] }

  test('a native sidecar starts before the app’s init containers, but for those that ask', () => {
    expect(names(injected({}, {}, spec), 'initContainers')).toBe('istio-init,istio-proxy,setup,early')
    const asks = { 'sidecar.istio.io/init-containers-before-proxy': 'early' }
    expect(names(injected(asks, {}, spec), 'initContainers')).toBe('istio-init,early,istio-proxy,setup')
  })

  test('an ordinary one comes last, or first when the app waits for it', () => {
    const old: InjectOptions = { nativeSidecars: false }
    expect(names(injected({}, old, spec), 'containers')).toBe('app,istio-proxy')
    expect(names(injected({}, old, spec), 'initContainers')).toBe('setup,early,istio-init')
    const pod = injected({ 'proxy.istio.io/config': 'holdApplicationUntilProxyStarts: true' }, old, spec)
    expect(names(pod, 'containers')).toBe('istio-proxy,app')
    expect(container(pod).lifecycle?.postStart).toEqual({ exec: { command: ['pilot-agent', 'wait'] } })
  })
})

test('what values and mesh say of the proxy', () => {
  const pod = injected(
    {},
    {
      values: {
        global: {
          multiCluster: { clusterName: 'c1' },
          network: 'n1',
          proxy: { outlierLogPath: '/dev/stdout', seccompProfile: { type: 'X' } },
        },
      },
      meshConfig: { inboundTrafficPolicy: { mode: 'LOCALHOST' } },
    },
  )
  const proxy = container(pod)
  expect(proxy.args).toContain('--outlierLogPath=/dev/stdout')
  expect(proxy.securityContext).toMatchObject({ seccompProfile: { type: 'X' } })
  expect(proxy.env?.[0]).toEqual({ name: 'REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION', value: 'true' })
  expect(proxy.env?.slice(-2)).toEqual([
    { name: 'ISTIO_META_CLUSTER_ID', value: 'c1' },
    { name: 'ISTIO_META_NETWORK', value: 'n1' },
  ])
})

test('resources: one annotation replaces all of the values', () => {
  expect(container(injected({ 'sidecar.istio.io/proxyCPULimit': '3' })).resources).toEqual({ limits: { cpu: '3' } })
})

test('volumes, pull secrets, network and DNS come from annotations and values', () => {
  const pod = injected(
    {
      'sidecar.istio.io/userVolume': '{"v":{"emptyDir":{}}}',
      'sidecar.istio.io/userVolumeMount': '{"v":{"mountPath":"/v"}}',
      'sidecar.istio.io/bootstrapOverride': 'boot',
    },
    { values: { global: { imagePullSecrets: ['reg'], network: 'n1', podDNSSearchNamespaces: ['global'] } } },
  )
  expect(pod.spec).toMatchObject({ imagePullSecrets: [{ name: 'reg' }], dnsConfig: { searches: ['global'] } })
  expect(pod.spec?.volumes).toEqual(
    expect.arrayContaining([
      { name: 'v', emptyDir: {} },
      { name: 'custom-bootstrap-volume', configMap: { name: 'boot' } },
    ]),
  )
  expect(container(pod)['volumeMounts']).toEqual(expect.arrayContaining([{ name: 'v', mountPath: '/v' }]))
  expect(pod.metadata?.labels).toMatchObject({ 'topology.istio.io/network': 'n1' })
  expect(env(pod, 'ISTIO_META_NETWORK')).toBe('n1')
})
