import { defaultMeshConfig } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { isClusterLocal } from './cluster-local.js'

const local = (hosts: string[], clusterLocal = true): object => ({ settings: { clusterLocal }, hosts })

test.each<[string, object[], string, boolean]>([
  ['nothing said', [], 'a.b.svc.cluster.local', false],
  ['by name', [local(['a.b.svc.cluster.local'])], 'a.b.svc.cluster.local', true],
  ['by namespace', [local(['*.b.svc.cluster.local'])], 'a.b.svc.cluster.local', true],
  ['of another namespace', [local(['*.c.svc.cluster.local'])], 'a.b.svc.cluster.local', false],
  ['the exact name wins', [local(['*']), local(['a.b.svc.cluster.local'], false)], 'a.b.svc.cluster.local', false],
  ['the longer wildcard wins', [local(['*.b.svc.cluster.local']), local(['*'], false)], 'a.b.svc.cluster.local', true],
  ['Kubernetes itself', [], 'kubernetes.default.svc.cluster.local', true],
  ['its parts', [], 'dns.kube-system.svc.cluster.local', true],
  ['its parts, opened', [local(['*.kube-system.svc.cluster.local'], false)], 'dns.kube-system.svc.cluster.local', false],
])('%s', (_name, serviceSettings, host, wanted) => {
  expect(isClusterLocal({ ...defaultMeshConfig, serviceSettings }, host, 'cluster.local')).toBe(wanted)
})
