import type { Metadata, PodSpec, PodTemplate } from '../kubernetes.js'
import type { MeshConfigInput, ProxyConfigInput } from '../proxy-config.js'
import type { InjectionValues } from '../values.js'
import type { Owner } from '../workload.js'

/** Everything that a template may look at. */
export interface TemplateContext {
  /** Metadata and spec of the pod without what an earlier injection added. */
  readonly metadata: Metadata
  readonly spec: PodSpec
  /** The workload that the pod belongs to. */
  readonly owner: Owner
  readonly values: InjectionValues
  readonly meshConfig: MeshConfigInput
  /** The mesh's default with the annotation proxy.istio.io/config laid over it. */
  readonly proxyConfig: ProxyConfigInput
  readonly revision: string
  /** The proxy is a restartable init container. */
  readonly nativeSidecar: boolean
}

/** What makes a pod's overlay, merged into the pod strategically. Pure: no clock, no I/O. */
export type InjectionTemplate = (context: TemplateContext) => PodTemplate
