import { createStore, defaultMeshConfig, type MeshSnapshot, readMeshConfig, readYaml } from '@heddle/config-model'
import { type ProxyDescriptor, proxyFromJson, type TranslateOptions, toJson, translate } from '@heddle/translator'
import { isMap } from '../compare.js'

/** A resource in canonical proto JSON. */
export type Json = Readonly<Record<string, unknown>>
export interface Resources {
  readonly listeners: readonly Json[]
  readonly routes: readonly Json[]
  readonly clusters: readonly Json[]
  readonly endpoints: readonly Json[]
}

/** A mesh from texts of YAML, with Istio's mesh config and `meshConfig` laid over it. */
export function meshOf(texts: readonly string[], meshConfig: Json = {}): MeshSnapshot {
  const mesh = readMeshConfig(JSON.stringify(meshConfig))
  if (!mesh.ok) throw new Error(`mesh config: ${mesh.diagnostics.map(({ path, message }) => `${path} ${message}`).join('; ')}`)
  const store = createStore({ allocateAddresses: false, meshConfig: mesh.value ?? defaultMeshConfig })
  store.apply({ set: texts.flatMap((text, i) => readYaml(text, { file: `config-${i}.yaml` }).resources) })
  return store.snapshot()
}

export function proxyOf(json: Json): ProxyDescriptor {
  const proxy = proxyFromJson(json)
  if (!proxy.ok) throw new Error(proxy.diagnostics.map(({ message }) => message).join('; '))
  return proxy.value
}

/** What `heddle translate` prints for that proxy. */
export function translated(snapshot: MeshSnapshot, proxy: ProxyDescriptor, options?: TranslateOptions): Resources {
  return JSON.parse(JSON.stringify(toJson(translate(snapshot, proxy, options).resources))) as Resources
}

/** Paths as of Istio's Go struct (`OutboundTrafficPolicy.Mode`) -> mesh config as users write it. Below a map (ProxyMetadata) names are keys. */
export function meshConfigFromGo(set: Readonly<Record<string, unknown>>): Json {
  const config: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(set))
    put(
      config,
      path.split('.').map((name, i) => (i > 1 ? name : name.charAt(0).toLowerCase() + name.slice(1))),
      value,
    )
  return config
}

export function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = target
  for (const name of path.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
  at[path.at(-1)!] = value
}

/** A list of objects at that field, or none. */
export function listAt(value: unknown, field: string): readonly Json[] {
  const list = isMap(value) ? value[field] : undefined
  return Array.isArray(list) ? list.filter(isMap) : []
}

export function mapAt(value: unknown, ...path: readonly string[]): Json | undefined {
  let at: unknown = value
  for (const field of path) at = isMap(at) ? at[field] : undefined
  return isMap(at) ? at : undefined
}

export function textAt(value: unknown, field: string): string {
  const text = isMap(value) ? value[field] : undefined
  return typeof text === 'string' ? text : ''
}
