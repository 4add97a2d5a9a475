import { formatDuration, type MeshSnapshot } from '@heddle/config-model'
import { loadAll } from 'js-yaml'
import { firstDifference, isMap } from '../compare.js'
import type { Json } from './mesh.js'

const KINDS = ['Gateway', 'VirtualService', 'DestinationRule'] as const

/** Where Istio's configuration, as YAML in the order of the test data, differs from what a mesh makes of its Gateway API and Ingress objects. */
export function configDifference(want: string, mesh: MeshSnapshot): string | undefined {
  const got = KINDS.flatMap((kind) => [...mesh.list(kind)].sort(byAge).map((resource) => tidy(documentOf(resource))))
  const wanted = documents(want).map(tidy)
  const names = firstDifference(wanted.map(titleOf), got.map(titleOf), 'objects')
  if (names !== undefined) return `${names}; got ${got.map(titleOf).join(', ')}`
  for (const [i, one] of wanted.entries()) {
    const found = firstDifference(one, got[i])
    if (found !== undefined) return `${titleOf(one)}: ${found}`
  }
  return undefined
}

/** The documents of a stream that are objects. */
export function documents(text: string): Json[] {
  return loadAll(text).filter(isMap)
}

export function titleOf(document: Json): string {
  const { name, namespace } = document['metadata'] as { name?: string; namespace?: string }
  return `${document['kind']} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

interface Aged {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly creationTimestamp?: string }
}

function byAge({ metadata: a }: Aged, { metadata: b }: Aged): number {
  const keyOf = (one: Aged['metadata']): string => `${one.creationTimestamp ?? ''}\n${one.namespace}\n${one.name}`
  return keyOf(a) < keyOf(b) ? -1 : 1
}

function documentOf({ kind, metadata, spec }: ReturnType<MeshSnapshot['list']>[number] & { spec?: unknown }): Json {
  const { annotations, labels, name, namespace } = metadata
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { annotations, labels, name, namespace }, spec }
}

// Milliseconds in the model, Go's text in YAML.
const DURATIONS: readonly string[] = [
  'timeout',
  'perTryTimeout',
  'backoff',
  'maxAge',
  'ttl',
  'fixedDelay',
  'interval',
  'baseEjectionTime',
]

/** Without what a Go struct writes where nothing is said, and without times. */
function tidy(value: unknown): Json {
  return tidied(value, '') as Json
}

function tidied(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => tidied(item, ''))
  if (typeof value === 'number' && DURATIONS.includes(key)) return formatDuration(value)
  if (!isMap(value)) return value
  const entries = Object.entries(value)
    .filter(([name, field]) => !isNoise(name, field))
    .map(([name, field]) => [name, tidied(field, name)] as const)
  return Object.fromEntries(
    entries.filter(([name, field]) => !(HOLLOW.includes(name) && isMap(field) && Object.keys(field).length === 0)),
  )
}

const HOLLOW: readonly string[] = ['annotations', 'labels', 'status', 'strategy', 'resources']
const ZEROES: Readonly<Record<string, unknown>> = { weight: 0, host: '', mode: 'PASSTHROUGH' }

function isNoise(name: string, field: unknown): boolean {
  return field === undefined || field === null || name === 'creationTimestamp' || ZEROES[name] === field
}
