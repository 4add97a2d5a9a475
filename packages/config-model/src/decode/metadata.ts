import type { ObjectMeta } from '../resource.js'
import { fields } from './fields.js'
import { into, refuse, type Site } from './site.js'
import { isRecord, mapOf, text, uint64 } from './value.js'

interface WrittenMeta {
  name?: string
  generateName?: string
  namespace?: string
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  creationTimestamp?: string
  uid?: string
  resourceVersion?: string
  generation?: number
}

const written = fields<WrittenMeta>(
  {
    name: text,
    generateName: text,
    namespace: text,
    labels: mapOf(text),
    annotations: mapOf(text),
    creationTimestamp: text,
    uid: text,
    resourceVersion: text,
    generation: uint64,
  },
  { open: true },
)

/** `metadata` of an object; a namespaced one without a namespace gets `defaultNamespace`. */
export function decodeMetadata(
  value: unknown,
  site: Site,
  namespaced: boolean,
  defaultNamespace: string,
): ObjectMeta | undefined {
  const meta = isRecord(value) ? written(value, site) : undefined
  const name = meta?.name ?? meta?.generateName
  if (meta === undefined || name === undefined || name === '') {
    refuse(into(site, 'name'), 'config.required', 'metadata.name is required')
    return undefined
  }
  const metadata: ObjectMeta = {
    name,
    namespace: namespaced ? (meta.namespace ?? defaultNamespace) : '',
    labels: meta.labels ?? {},
    annotations: meta.annotations ?? {},
  }
  if (meta.creationTimestamp !== undefined) metadata.creationTimestamp = meta.creationTimestamp
  if (meta.uid !== undefined) metadata.uid = meta.uid
  if (meta.resourceVersion !== undefined) metadata.resourceVersion = meta.resourceVersion
  if (meta.generation !== undefined) metadata.generation = meta.generation
  return metadata
}
