import { type Diagnostic, fail, ok, type Result } from '@heddle/runtime'
import { type Decision, decide } from './decide.js'
import { injectPod } from './inject-pod.js'
import type { KubernetesObject } from './kubernetes.js'
import type { InjectOptions } from './options.js'
import { findWorkload } from './workload.js'

/** What became of an object. */
export interface Injection {
  /** The injected object; the input itself where nothing was injected. */
  object: KubernetesObject
  /** One for each object, that is one but for a List. */
  decisions: readonly ObjectDecision[]
}

export interface ObjectDecision extends Decision {
  /** `Deployment shop/cart`, `Pod cart`. */
  subject: string
}

/**
 * The object as Istio would have injected it: Pod, Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet, Job, CronJob,
 * OpenShift's DeploymentConfig, and a List of them; other kinds come back as they are. Injecting twice changes nothing. The input does not
 * change. Fails with `inject.invalid_annotation`, `inject.unknown_template` or `inject.invalid_pod`.
 */
export function inject(object: KubernetesObject, options: InjectOptions = {}): Result<Injection> {
  if (object.kind === 'List' && Array.isArray(object['items'])) return injectList(object, object['items'], options)
  const subject = subjectOf(object)
  const workload = findWorkload(object)
  if (workload === undefined) {
    const decision = {
      inject: false,
      code: 'no_pod_template',
      reason: `${object.kind ?? 'an object without a kind'} has no pod template`,
      subject,
    }
    return ok({ object, decisions: [decision] })
  }
  const namespace = workload.pod.metadata?.namespace ?? object.metadata?.namespace ?? options.namespace ?? 'default'
  const decision = { ...decide(workload.pod, namespace, options), subject }
  if (!decision.inject) return ok({ object, decisions: [decision] })
  const pod = injectPod(workload.pod, workload.owner, options)
  if (!pod.ok) return fail(...pod.diagnostics.map((diagnostic) => ({ ...diagnostic, subject })))
  return ok({ object: workload.replace(pod.value), decisions: [decision] }, pod.diagnostics)
}

function injectList(list: KubernetesObject, items: readonly unknown[], options: InjectOptions): Result<Injection> {
  const diagnostics: Diagnostic[] = []
  const decisions: ObjectDecision[] = []
  let failed = false
  const injected = items.map((item) => {
    if (typeof item !== 'object' || item === null) return item
    const result = inject(item as KubernetesObject, options)
    diagnostics.push(...result.diagnostics)
    if (!result.ok) {
      failed = true
      return item
    }
    decisions.push(...result.value.decisions)
    return result.value.object
  })
  if (failed) return fail(...diagnostics)
  return ok(
    { object: decisions.some((decision) => decision.inject) ? { ...list, items: injected } : list, decisions },
    diagnostics,
  )
}

function subjectOf({ kind, metadata }: KubernetesObject): string {
  const name = metadata?.name ?? metadata?.generateName ?? ''
  return `${kind ?? 'object'} ${metadata?.namespace === undefined ? '' : `${metadata.namespace}/`}${name}`.trim()
}
