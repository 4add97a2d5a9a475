import { fail, ok, problem, type Result } from '@heddle/runtime'
import { boolYaml11Tag, CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml'

// Kubernetes reads YAML 1.1: `yes` is true, `<<` merges.
const SCHEMA = CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag)

// What aliases may unfold to, in nodes: far more than any object that etcd holds.
const MOST_NODES = 1_000_000

/** One document. A diagnostic's `origin.line` counts from the start of `text`; its file is empty. */
export function loadYaml(text: string): Result<unknown> {
  try {
    const value: unknown = load(text, { schema: SCHEMA, maxAliases: 1_000 })
    if (text.includes('*') && countNodes(value, MOST_NODES) > MOST_NODES) return refuse('its aliases unfold to too much', 1)
    return ok(value)
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    return refuse(error.reason, (error.mark?.line ?? 0) + 1)
  }
}

function refuse(why: string, line: number): Result<unknown> {
  return fail({ ...problem('inject.invalid_yaml', '', `This is no YAML: ${why}.`), origin: { file: '', line } })
}

/** Nodes with every alias counted as a copy; stops past `most`. */
function countNodes(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1
  let nodes = 1
  for (const child of Object.values(value)) {
    nodes += countNodes(child, most - nodes)
    if (nodes > most) break
  }
  return nodes
}
