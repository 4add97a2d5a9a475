import type { KubernetesObject, Metadata, PodTemplate } from './kubernetes.js'

/** The workload that a pod belongs to, as ISTIO_META_OWNER and ISTIO_META_WORKLOAD_NAME tell it. */
export interface Owner {
  apiVersion: string
  kind: string
  name: string
  /** '' where the object names none. */
  namespace: string
}

/** A pod inside an object, and how to put another in its place. */
export interface Workload {
  pod: PodTemplate
  owner: Owner
  /** The object with `pod` in place; neither input changes. */
  replace(pod: PodTemplate): KubernetesObject
}

// Where each kind keeps its pod. Job, DaemonSet and the like all use spec.template.
const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  DeploymentConfig: ['spec', 'template'],
}

// Istio reads and writes the labels and annotations of a CronJob at its Job, not at the pod (IntoObject in pkg/kube/inject).
const METADATA_PATHS: Readonly<Record<string, readonly string[]>> = { CronJob: ['spec', 'jobTemplate'] }

/** The pod of an object; undefined for kinds without one, and for a workload without a template. */
export function findWorkload(object: KubernetesObject): Workload | undefined {
  const path = TEMPLATE_PATHS[object.kind ?? '']
  if (path === undefined) return undefined
  const template = at(object, path)
  if (!isObject(template) || !isObject(template['spec'])) return undefined
  const owner = ownerOf(object)
  const metadataPath = METADATA_PATHS[object.kind ?? '']
  if (metadataPath === undefined) return { pod: template, owner, replace: (pod) => put(object, path, pod) as KubernetesObject }
  const described = at(object, metadataPath)
  const metadata = isObject(described) ? described['metadata'] : undefined
  const { metadata: _, ...bare } = template
  return {
    pod: metadata === undefined ? bare : ({ ...bare, metadata } as PodTemplate),
    owner,
    replace({ metadata: written, ...pod }) {
      const kept = template['metadata'] === undefined ? pod : { metadata: template['metadata'], ...pod }
      const replaced = put(object, path, kept as PodTemplate)
      if (written === undefined) return replaced as KubernetesObject
      return put(replaced, metadataPath, { ...(at(replaced, metadataPath) as object), metadata: written }) as KubernetesObject
    },
  }
}

function at(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, field) => (isObject(value) ? value[field] : undefined), object)
}

function put(object: Record<string, unknown>, path: readonly string[], value: object): Record<string, unknown> {
  const [field, ...rest] = path
  if (field === undefined) return value as Record<string, unknown>
  return { ...object, [field]: put(object[field] as Record<string, unknown>, rest, value) }
}

function ownerOf(object: KubernetesObject): Owner {
  const { name = '', namespace = '' } = object.metadata ?? {}
  const { kind = '', apiVersion = '' } = object
  return kind === 'Pod' ? ownerOfPod(object.metadata ?? {}) : { kind, apiVersion, name, namespace }
}

/** A generated pod belongs to its controller; a ReplicaSet and a Job to what made them, which their names tell. */
export function ownerOfPod(metadata: Metadata): Owner {
  const { name = '', generateName = '', namespace = '' } = metadata
  const own: Owner = { apiVersion: 'v1', kind: 'Pod', name: name === '' ? generateName : name, namespace }
  const controller =
    generateName === '' ? undefined : metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (controller?.name === undefined) return own
  const owner = { apiVersion: controller.apiVersion ?? '', kind: controller.kind ?? '', name: controller.name, namespace }
  const hash = metadata.labels?.['pod-template-hash']
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return { ...owner, apiVersion: 'apps/v1', kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) }
  }
  const deploymentConfig = metadata.labels?.['deploymentconfig']
  if (owner.kind === 'ReplicationController' && deploymentConfig !== undefined) {
    return { ...owner, apiVersion: 'apps.openshift.io/v1', kind: 'DeploymentConfig', name: deploymentConfig }
  }
  // A CronJob names its Jobs by the minute: <cron job>-<8 to 10 digits>.
  const [, cronJob] = owner.kind === 'Job' ? (/^(.+)-\d{8,10}$/.exec(owner.name) ?? []) : []
  return cronJob === undefined ? owner : { ...owner, apiVersion: 'batch/v1', kind: 'CronJob', name: cronJob }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
