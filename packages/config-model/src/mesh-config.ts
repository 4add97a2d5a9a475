import type { Result } from '@heddle/runtime'
import { parsePath, rootSite } from './decode/site.js'
import type { ConfigMap } from './kinds/kubernetes/config-map.js'
import { decodeMeshConfig, defaultMeshConfig, type MeshConfig } from './kinds/mesh-config.js'
import { loadDocument } from './yaml/load.js'
import { locateInDocument } from './yaml/locate.js'

export interface ReadMeshConfigOptions {
  /** Name of the file in messages; without it they carry no origin. */
  file?: string
  /** What it is laid over; default Istio's defaults. */
  base?: MeshConfig
}

/** Reads a mesh config file (`--mesh-config`): YAML of MeshConfig's fields, or a ConfigMap with it under `data.mesh`. Empty text is the base. */
export function readMeshConfig(text: string, options: ReadMeshConfigOptions = {}): Result<MeshConfig> {
  const root = rootSite()
  const { file, base = defaultMeshConfig } = options
  const loaded = loadDocument(text.trim() === '' ? '{}' : text)
  if (!loaded.ok) {
    const message = `not valid YAML: ${loaded.message} (column ${loaded.column})`
    const origin = file === undefined ? {} : { origin: { file, line: loaded.line } }
    return { ok: false, diagnostics: [{ code: 'config.yaml', severity: 'error', path: '', message, ...origin }] }
  }
  const inner = (loaded.value as { kind?: unknown; data?: { mesh?: unknown } } | null) ?? {}
  if (inner.kind === 'ConfigMap' && typeof inner.data?.mesh === 'string') return readMeshConfig(inner.data.mesh, { base })
  const value = decodeMeshConfig(loaded.value, root, base)
  const diagnostics = root.found.map((diagnostic) =>
    file === undefined
      ? diagnostic
      : { ...diagnostic, origin: { file, line: locateInDocument(text, parsePath(diagnostic.path) ?? []).line } },
  )
  const failed = value === undefined || diagnostics.some(({ severity }) => severity === 'error')
  return failed ? { ok: false, diagnostics } : { ok: true, value, diagnostics }
}

/** Whether a ConfigMap is the one that holds the mesh config. */
export function isMeshConfigMap({ metadata, spec }: ConfigMap, rootNamespace: string): boolean {
  return metadata.name === 'istio' && metadata.namespace === rootNamespace && spec.data?.['mesh'] !== undefined
}

const laid = new WeakMap<ConfigMap, { base: MeshConfig; value: MeshConfig }>()

/** The mesh config with what the ConfigMap `istio` says laid over it; a ConfigMap that cannot be read changes nothing. Read once per object. */
export function effectiveMeshConfig(base: MeshConfig, map: ConfigMap | undefined): MeshConfig {
  if (map === undefined || !isMeshConfigMap(map, base.rootNamespace)) return base
  const known = laid.get(map)
  if (known?.base === base) return known.value
  const result = readMeshConfig(map.spec.data?.['mesh'] ?? '', { base })
  const value = result.ok ? result.value : base
  laid.set(map, { base, value })
  return value
}
