import { expect, test } from 'vitest'
import type { KubernetesObject } from './kubernetes.js'
import { findWorkload, ownerOfPod } from './workload.js'

const controller = (kind: string, name: string, apiVersion = 'apps/v1') => [{ apiVersion, kind, name, controller: true }]

test.each([
  [{ name: 'a' }, 'v1 Pod a'],
  [{ name: 'a', ownerReferences: controller('ReplicaSet', 'web-5d4') }, 'v1 Pod a'],
  [{ generateName: 'web-', ownerReferences: controller('StatefulSet', 'db') }, 'apps/v1 StatefulSet db'],
  [
    { generateName: 'web-5d4-', labels: { 'pod-template-hash': '5d4' }, ownerReferences: controller('ReplicaSet', 'web-5d4') },
    'apps/v1 Deployment web',
  ],
  [{ generateName: 'web-5d4-', ownerReferences: controller('ReplicaSet', 'web-5d4') }, 'apps/v1 ReplicaSet web-5d4'],
  [{ generateName: 'tick-28001234-', ownerReferences: controller('Job', 'tick-28001234', 'batch/v1') }, 'batch/v1 CronJob tick'],
  [{ generateName: 'pi-', ownerReferences: controller('Job', 'pi', 'batch/v1') }, 'batch/v1 Job pi'],
  [
    {
      generateName: 'web-1-',
      labels: { deploymentconfig: 'web' },
      ownerReferences: controller('ReplicationController', 'web-1', 'v1'),
    },
    'apps.openshift.io/v1 DeploymentConfig web',
  ],
  [{ generateName: 'web-', ownerReferences: [{ kind: 'ReplicaSet', name: 'x' }] }, 'v1 Pod web-'],
])('the owner of %o is %s', (metadata, wanted) => {
  const { apiVersion, kind, name } = ownerOfPod(metadata)
  expect(`${apiVersion} ${kind} ${name}`).toBe(wanted)
})

test('a CronJob keeps its pod two templates down', () => {
  const template = { spec: { containers: [{ name: 'x' }] } }
  const cronJob = {
    kind: 'CronJob',
    apiVersion: 'batch/v1',
    metadata: { name: 'tick' },
    spec: { schedule: '@daily', jobTemplate: { spec: { template } } },
  }
  const workload = findWorkload(cronJob)!
  expect(workload.pod).toEqual(template)
  const replaced = workload.replace({ spec: { containers: [{ name: 'y' }] } })
  expect(replaced).toMatchObject({
    spec: { schedule: '@daily', jobTemplate: { spec: { template: { spec: { containers: [{ name: 'y' }] } } } } },
  })
  expect(cronJob.spec.jobTemplate.spec.template).toBe(template)
})

test('labels and annotations of a CronJob are those of its Job', () => {
  const cronJob = {
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: {
      jobTemplate: {
        metadata: { labels: { of: 'job' } },
        spec: { backoffLimit: 1, template: { metadata: { labels: { of: 'pod' } }, spec: { containers: [] } } },
      },
    },
  }
  const workload = findWorkload(cronJob)!
  expect(workload.pod.metadata).toEqual({ labels: { of: 'job' } })
  expect(workload.replace({ metadata: { labels: { of: 'job', added: '1' } }, spec: { containers: [{ name: 'x' }] } })).toEqual({
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: {
      jobTemplate: {
        metadata: { labels: { of: 'job', added: '1' } },
        spec: { backoffLimit: 1, template: { metadata: { labels: { of: 'pod' } }, spec: { containers: [{ name: 'x' }] } } },
      },
    },
  })
})

test.each([{ kind: 'Service' }, { kind: 'Deployment' }, { kind: 'Deployment', spec: null }, { kind: 'Pod', spec: 1 }, {}])(
  '%o has no pod',
  (object) => {
    expect(findWorkload(object as KubernetesObject)).toBeUndefined()
  },
)
