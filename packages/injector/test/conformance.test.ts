import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type InjectOptions,
  injectManifest,
  type MeshConfigInput,
  supportsNativeSidecars,
  type ValuesInput,
} from '@heddle/injector'
import { loadAll } from 'js-yaml'
import { expect, test } from 'vitest'

interface Case {
  id: string
  input: string
  want: string | null
  expectedError?: string
  setFlags?: string[]
  /** An IstioOperator, as YAML. */
  iop?: string | null
  meshOverrides?: Record<string, unknown>
  nodeKubeletVersions: string[]
}

const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .filter((folder) => folder !== '')
  .map((folder) => join(folder, 'injection.json'))
  .find((path) => existsSync(path))

if (file === undefined) {
  test.skip('injection cases: HEDDLE_CONFORMANCE names no folder with injection.json', () => {})
} else {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[]
  for (const item of cases) {
    test(item.id, () => {
      const options = optionsOf(item)
      const result = injectManifest(item.input, options)
      if (item.expectedError !== undefined) {
        expect(result.ok).toBe(false)
        expect(result.diagnostics.map(({ message }) => message.toLowerCase()).join()).toContain(item.expectedError)
        return
      }
      if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
      expect(meaning(result.value.yaml)).toEqual(meaning(item.want!))
      const again = injectManifest(result.value.yaml, options)
      expect(again.ok && meaning(again.value.yaml)).toEqual(meaning(result.value.yaml))
    })
  }
}

function optionsOf({ meshOverrides = {}, nodeKubeletVersions, setFlags = [], iop }: Case): InjectOptions {
  const meshConfig: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(meshOverrides)) {
    // Paths are those of Istio's Go struct; below a map (ProxyMetadata) they are keys.
    put(
      meshConfig,
      path.split('.').map((name, i) => (i > 1 ? name : lower(name))),
      value,
    )
  }
  const values: Record<string, unknown> = { global: { hub: 'registry.istio.io/testing', tag: 'latest' } }
  const operator = iop ? (loadAll(iop)[0] as { spec?: { values?: Record<string, unknown> } }).spec?.values : {}
  Object.assign(values, operator, { global: { ...(values['global'] as object), ...(operator?.['global'] as object) } })
  for (const flag of setFlags) {
    const at = flag.indexOf('=')
    const [root, ...path] = flag.slice(0, at).split('.')
    const value = { true: true, false: false }[flag.slice(at + 1)] ?? flag.slice(at + 1)
    if (root === 'components') put(values, ['pilot', ...path], value)
    else put(values, path[0] === 'cni' ? ['pilot', ...path] : path, value)
  }
  return {
    values: values as ValuesInput,
    meshConfig: meshConfig as MeshConfigInput,
    nativeSidecars: supportsNativeSidecars(nodeKubeletVersions),
  }
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = target
  for (const name of path.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
  at[path.at(-1)!] = value
}

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

/** Kubernetes' meaning: without Go's zero values, quantities in one notation, JSON inside strings parsed. */
function meaning(yaml: string): unknown {
  return loadAll(yaml)
    .filter((document) => document != null)
    .map((document) => canonical(document, ''))
}

// What Go writes for fields that nobody set, outside of the pod.
const EMPTY_NOISE = new Set(['resources', 'strategy', 'updateStrategy', 'metadata'])
const ZERO_NOISE = new Set(['test', 'paused', 'minReadySeconds'])

function canonical(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item, ''))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).flatMap(([key, item]) => {
      if (item === null || key === 'status') return []
      if (EMPTY_NOISE.has(key) && typeof item === 'object' && Object.keys(item).length === 0) return []
      if (ZERO_NOISE.has(key) && !item) return []
      return [[key, (key === 'limits' || key === 'requests') && typeof item === 'object' ? amounts(item) : canonical(item, key)]]
    })
    return Object.fromEntries(entries)
  }
  if (typeof value === 'string' && value.trimStart().startsWith('{') && field !== 'sidecar.istio.io/status') {
    try {
      return canonical(JSON.parse(value), '')
    } catch {
      return value
    }
  }
  return value
}

function amounts(resources: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(resources).map(([name, amount]) => [
      name,
      /^\d+000m$/.test(String(amount)) ? String(amount).slice(0, -4) : String(amount),
    ]),
  )
}
