import { fields } from '../../decode/fields.js'
import { type Decode, int32, mapOf, struct, text } from '../../decode/value.js'
import type { Resource } from '../../resource.js'
import type { LabelSelector } from '../common.js'
import { labelSelector } from '../common.js'
import { defineKind, type Kind } from '../kind.js'
import type { PodSpec } from './pod.js'
import { podSpec } from './pod.js'

export interface PodTemplate {
  metadata?: { name?: string; labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> }
  spec?: PodSpec
}

/** Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and their like: a template and how many; the rest of the object is kept as written. */
export interface WorkloadSpec {
  selector?: LabelSelector
  template?: PodTemplate
  replicas?: number
  readonly [field: string]: unknown
}

export type Deployment = Resource<'Deployment', WorkloadSpec>
export type StatefulSet = Resource<'StatefulSet', WorkloadSpec>
export type DaemonSet = Resource<'DaemonSet', WorkloadSpec>
export type ReplicaSet = Resource<'ReplicaSet', WorkloadSpec>
export type Job = Resource<'Job', WorkloadSpec>
export type CronJob = Resource<'CronJob', Readonly<Record<string, unknown>>>
export type ReplicationController = Resource<'ReplicationController', Readonly<Record<string, unknown>>>

const template = fields<PodTemplate>({
  metadata: fields<NonNullable<PodTemplate['metadata']>>(
    { name: text, labels: mapOf(text), annotations: mapOf(text) },
    { open: true },
  ),
  spec: podSpec,
})

const workloadSpec = fields<WorkloadSpec>({ selector: labelSelector, template, replicas: int32 }, { open: true })

function workload<R extends Resource<string, WorkloadSpec>>(name: R['kind'], group: string): Kind<R> {
  return defineKind<R>({ name, groups: [group], namespaced: true, body: 'spec', spec: workloadSpec as Decode<R['spec']> })
}

export const deployment: Kind<Deployment> = workload('Deployment', 'apps')
export const statefulSet: Kind<StatefulSet> = workload('StatefulSet', 'apps')
export const daemonSet: Kind<DaemonSet> = workload('DaemonSet', 'apps')
export const replicaSet: Kind<ReplicaSet> = workload('ReplicaSet', 'apps')
export const job: Kind<Job> = workload('Job', 'batch')

export const cronJob: Kind<CronJob> = defineKind<CronJob>({
  name: 'CronJob',
  groups: ['batch'],
  namespaced: true,
  body: 'spec',
  spec: struct,
})
// Its selector is a plain map.
export const replicationController: Kind<ReplicationController> = defineKind<ReplicationController>({
  name: 'ReplicationController',
  groups: [''],
  namespaced: true,
  body: 'spec',
  spec: struct,
})
