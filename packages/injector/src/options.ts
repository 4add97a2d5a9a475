import type { LabelSelector } from '@heddle/config-model'
import type { MeshConfigInput } from './proxy-config.js'
import type { InjectionTemplate } from './templates/context.js'
import type { ValuesInput } from './values.js'

/** All optional; the defaults are Istio's. */
export interface InjectOptions {
  /** Helm values of the istiod chart. */
  values?: ValuesInput
  meshConfig?: MeshConfigInput
  /** `1.0`: the pod of Istio 1.0 (proxy_init, flags of pilot-agent, no probes rewritten, no metrics merged). Default: today's. */
  profile?: '1.0'
  /** Control-plane revision; default `default`. */
  revision?: string
  /** For pods that say nothing; default `enabled`, as in kube-inject. */
  policy?: 'enabled' | 'disabled'
  alwaysInjectSelector?: readonly LabelSelector[]
  neverInjectSelector?: readonly LabelSelector[]
  /** Labels of the pod's namespace. Given, the selectors of Istio's webhooks decide first; absent, as in kube-inject, they do not. */
  namespaceLabels?: Readonly<Record<string, string>>
  /** Namespace of objects that name none, for {@link decide}. */
  namespace?: string
  /** The proxy as a restartable init container (Kubernetes 1.33); default true. The annotation sidecar.istio.io/nativeSidecar counts first. */
  nativeSidecars?: boolean
  /** Templates beside `sidecar`, `gateway`, `grpc-simple`, `grpc-agent`, `waypoint` and `kube-gateway`, or in their place. */
  templates?: Readonly<Record<string, InjectionTemplate>>
  /** Used where the annotation inject.istio.io/templates is absent; default `['sidecar']`. */
  defaultTemplates?: readonly string[]
  /** Added to every injected pod. */
  injectedAnnotations?: Readonly<Record<string, string>>
  /** Several templates under one name. */
  aliases?: Readonly<Record<string, readonly string[]>>
}

/** Whether every node is new enough for native sidecars: 1.33. Versions as kubelets report them: `v1.33.2-gke.100`. */
export function supportsNativeSidecars(kubeletVersions: readonly string[]): boolean {
  return kubeletVersions.every((version) => {
    const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
    return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 33)
  })
}
