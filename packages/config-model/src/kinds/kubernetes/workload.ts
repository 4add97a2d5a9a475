import type { Resource } from '../../resource.js'
import type { LabelSelector } from '../common.js'
import type { PodSpec } from './pod.js'

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
