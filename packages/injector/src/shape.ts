import { type Diagnostic, problem } from '@heddle/runtime'
import type { PodTemplate } from './kubernetes.js'

type Check = (value: unknown) => string | undefined

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const object: Check = (value) => (isObject(value) ? undefined : 'must be an object')
const text: Check = (value) => (typeof value === 'string' ? undefined : 'must be a string; quote it')
const listOf =
  (what: string, good: (item: unknown) => boolean): Check =>
  (value) =>
    Array.isArray(value) && value.every(good) ? undefined : `must be a list of ${what}`
const named = (item: unknown): boolean => isObject(item) && typeof item['name'] === 'string'
const probe: Check = (value) => {
  const bad = isObject(value)
    ? ['httpGet', 'tcpSocket', 'grpc'].find((action) => value[action] != null && !isObject(value[action]))
    : ''
  return bad === undefined ? undefined : bad === '' ? 'must be an object' : `.${bad} must be an object`
}

// What injection reads or merges; the API server checks the rest.
const CONTAINER: Readonly<Record<string, Check>> = {
  image: text,
  args: listOf('strings', (item) => typeof item === 'string'),
  env: listOf('variables, each with a name', named),
  ports: listOf('objects', isObject),
  volumeMounts: listOf('mounts, each with a mountPath', (item) => isObject(item) && typeof item['mountPath'] === 'string'),
  resources: object,
  securityContext: object,
  readinessProbe: probe,
  livenessProbe: probe,
  startupProbe: probe,
}
const SPEC: Readonly<Record<string, Check>> = {
  volumes: listOf('volumes, each with a name', named),
  imagePullSecrets: listOf('references, each with a name', named),
  serviceAccountName: text,
  securityContext: object,
}

/** What is wrong with the shape of a pod, as far as injection touches it; `null` is absent. Code `inject.invalid_pod`. */
export function checkShape(pod: PodTemplate): Diagnostic[] {
  const found: Diagnostic[] = []
  const wrong = (path: string, why: string): void => void found.push(problem('inject.invalid_pod', path, `${path} ${why}.`))
  const check = (target: Record<string, unknown>, checks: Readonly<Record<string, Check>>, path: string): void => {
    for (const [field, verify] of Object.entries(checks)) {
      const why = target[field] == null ? undefined : verify(target[field])
      if (why !== undefined) wrong(`${path}.${field}`, why)
    }
  }
  const { metadata, spec } = pod as { metadata?: unknown; spec?: unknown }
  if (metadata != null && !isObject(metadata)) wrong('metadata', 'must be an object')
  else
    for (const map of ['labels', 'annotations'] as const)
      checkStrings(isObject(metadata) ? metadata[map] : undefined, `metadata.${map}`, wrong)
  if (!isObject(spec)) return [...found, problem('inject.invalid_pod', 'spec', 'spec must be an object.')]
  check(spec, SPEC, 'spec')
  for (const list of ['containers', 'initContainers']) {
    const containers = spec[list] ?? (list === 'containers' ? null : [])
    if (!Array.isArray(containers) || !containers.every(named)) {
      wrong(`spec.${list}`, 'must be a list of containers, each with a name')
      continue
    }
    for (const [i, container] of (containers as Record<string, unknown>[]).entries()) {
      const path = `spec.${list}[${i}]`
      check(container, CONTAINER, path)
      const { lifecycle } = container
      if (lifecycle != null && !isObject(lifecycle)) wrong(`${path}.lifecycle`, 'must be an object')
      else if (isObject(lifecycle)) check(lifecycle, { preStop: probe, postStart: probe }, `${path}.lifecycle`)
    }
  }
  return found
}

function checkStrings(map: unknown, path: string, wrong: (path: string, why: string) => void): void {
  if (map == null) return
  if (!isObject(map)) wrong(path, 'must be an object')
  else
    for (const [key, value] of Object.entries(map))
      if (typeof value !== 'string') wrong(`${path}["${key}"]`, 'must be a string; quote it')
}
