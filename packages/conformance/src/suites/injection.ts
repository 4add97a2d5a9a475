import {
  type InjectOptions,
  injectManifest,
  type MeshConfigInput,
  supportsNativeSidecars,
  type ValuesInput,
} from '@heddle/injector'
import { load, loadAll } from 'js-yaml'
import { firstDifference, isMap } from '../compare.js'
import { each, type Suite, type Verdict } from '../suite.js'
import { type Json, mapAt, meshConfigFromGo, put } from './mesh.js'

interface Case {
  readonly id: string
  readonly input: string
  readonly want: string | null
  readonly expectedError?: string
  readonly setFlags?: readonly string[] | null
  /** An IstioOperator, as YAML. */
  readonly iop?: string | null
  /** MeshConfig as YAML. */
  readonly mesh?: string | null
  readonly meshOverrides?: Readonly<Record<string, unknown>> | null
  readonly nodeKubeletVersions?: readonly string[] | null
}

/** A workload -> the injected workload, by meaning; injecting that again changes nothing. */
export const injection: Suite = {
  name: 'injection',
  file: 'injection.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

function judge(item: Case): Verdict {
  const options = optionsOf(item)
  const result = injectManifest(item.input, options)
  const said = result.diagnostics.map(({ message }) => message).join('; ')
  if (item.expectedError !== undefined) {
    if (result.ok) return `want error ${item.expectedError}, got none`
    return said.toLowerCase().includes(item.expectedError.toLowerCase())
      ? undefined
      : `want error ${item.expectedError}, got ${said}`
  }
  if (!result.ok) return `got errors: ${said}`
  const got = meaning(result.value.yaml)
  const difference = firstDifference(meaning(item.want ?? ''), got)
  if (difference !== undefined) return difference
  const again = injectManifest(result.value.yaml, options)
  const changed = again.ok ? firstDifference(got, meaning(again.value.yaml)) : 'it is refused'
  return changed === undefined ? undefined : `injected again: ${changed}`
}

const KUBELETS = ['v1.33.0', 'v1.34.0']

function optionsOf({ mesh, meshOverrides, nodeKubeletVersions, setFlags, iop }: Case): InjectOptions {
  const operator = mapAt(iop ? load(iop) : {}, 'spec')
  const values: Record<string, unknown> = { ...mapAt(operator, 'values') }
  values['global'] = { hub: 'registry.istio.io/testing', tag: 'latest', ...mapAt(values, 'global') }
  for (const flag of setFlags ?? []) setValue(values, flag)
  const given = mesh ? load(mesh) : undefined
  return {
    values: values as ValuesInput,
    meshConfig: { ...(isMap(given) ? given : {}), ...meshConfigFromGo(meshOverrides ?? {}) } as MeshConfigInput,
    nativeSidecars: supportsNativeSidecars(nodeKubeletVersions ?? KUBELETS),
  }
}

/** `values.a.b=c` and `components.cni.enabled=true`, as istioctl's --set. */
function setValue(values: Record<string, unknown>, flag: string): void {
  const at = flag.indexOf('=')
  const [root, ...path] = flag.slice(0, at).split('.')
  const text = flag.slice(at + 1)
  const value = text === 'true' ? true : text === 'false' ? false : text
  put(values, root === 'components' || path[0] === 'cni' ? ['pilot', ...path] : path, value)
}

function meaning(yaml: string): unknown {
  return loadAll(yaml)
    .filter((document) => document != null)
    .map((document) => canonical(document, ''))
}

// What Go writes for fields that nobody set.
const EMPTY_NOISE = new Set(['resources', 'strategy', 'updateStrategy', 'metadata'])
const ZERO_NOISE = new Set(['test', 'paused', 'minReadySeconds'])
const DROPPED = new Set(['status', 'creationTimestamp'])

function isNoise(key: string, value: unknown): boolean {
  if (value === null || DROPPED.has(key)) return true
  if (EMPTY_NOISE.has(key) && isMap(value)) return Object.keys(value).length === 0
  return ZERO_NOISE.has(key) && !value
}

/** Kubernetes' meaning: without Go's zero values, quantities in one notation, JSON inside strings parsed. */
function canonical(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item, ''))
  if (isMap(value))
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, item]) => !isNoise(key, item))
        .map(([key, item]) => [
          key,
          (key === 'limits' || key === 'requests') && isMap(item) ? amounts(item) : canonical(item, key),
        ]),
    )
  if (typeof value === 'string' && value.trimStart().startsWith('{') && field !== 'sidecar.istio.io/status') {
    try {
      return canonical(JSON.parse(value), '')
    } catch {
      return value
    }
  }
  return value
}

/** `2000m` = `2`. */
function amounts(resources: Json): Json {
  return Object.fromEntries(
    Object.entries(resources).map(([name, amount]) => [name, String(amount).replace(/^(\d+)000m$/, '$1')]),
  )
}
