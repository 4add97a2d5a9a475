import { equal } from '@heddle/runtime'
import type { KubernetesObject } from './kubernetes.js'
import { MERGE_KEYS } from './merge.js'

/** Steps of RFC 6902, of the kinds that a patch of ours has. */
export type JsonPatch = readonly ({ op: 'add' | 'replace'; path: string; value: unknown } | { op: 'remove'; path: string })[]

type Step = JsonPatch[number]
type Tree = Readonly<Record<string, unknown>>
type List = readonly unknown[]

/**
 * RFC 6902: what makes `after` of `before`, as an admission webhook answers. Empty where both say the same; a field that is undefined is
 * none. Elements of lists are told apart as Kubernetes does (containers and volumes by name, mounts by path): one that is added or changed
 * leaves the others alone.
 */
export function jsonPatch(before: KubernetesObject, after: KubernetesObject): JsonPatch {
  const steps: Step[] = []
  diff(before, after, { path: '', steps })
  return steps
}

interface Place {
  /** A JSON pointer. */
  readonly path: string
  /** Of the elements, in a list that Kubernetes merges. */
  readonly key?: string | undefined
  readonly steps: Step[]
}

// What injection leaves alone is the same object in both: most of a pod is not even looked at.
function diff(before: unknown, after: unknown, place: Place): void {
  if (before === after) return
  if (Array.isArray(before) && Array.isArray(after)) diffLists(before, after, place)
  else if (isTree(before) && isTree(after)) diffTrees(before, after, place)
  else place.steps.push({ op: 'replace', path: place.path, value: after })
}

function diffTrees(before: Tree, after: Tree, { path, steps }: Place): void {
  for (const field of Object.keys(before))
    if (has(before, field) && !has(after, field)) steps.push({ op: 'remove', path: `${path}/${token(field)}` })
  for (const field of Object.keys(after)) {
    const value = after[field]
    if (value === undefined) continue
    const at = `${path}/${token(field)}`
    if (has(before, field)) diff(before[field], value, { path: at, key: MERGE_KEYS.get(field), steps })
    else steps.push({ op: 'add', path: at, value })
  }
}

function diffLists(before: List, after: List, { path, key, steps }: Place): void {
  let [i, j, at] = [0, 0, 0]
  for (const [kept, as] of [...alignment(before, after, key), [before.length, after.length] as const]) {
    while (i < kept && j < as) {
      const here = `${path}/${at++}`
      // Another element of a keyed list is another thing: nothing of it is changed into this one.
      if (key !== undefined) steps.push({ op: 'replace', path: here, value: after[j] })
      else diff(before[i], after[j], { path: here, steps })
      i++
      j++
    }
    for (; i < kept; i++) steps.push({ op: 'remove', path: `${path}/${at}` })
    for (; j < as; j++) steps.push({ op: 'add', path: `${path}/${at++}`, value: after[j] })
    if (kept < before.length) diff(before[i++], after[j++], { path: `${path}/${at++}`, steps })
  }
}

/** Beyond this many comparisons elements go by their positions: right all the same, though longer than need be. */
const MOST_COMPARISONS = 250_000

/** Positions of elements that stay, in order: a longest common subsequence. */
function alignment(before: List, after: List, key: string | undefined): (readonly [number, number])[] {
  const same = (i: number, j: number): boolean => isSame(before[i], after[j], key)
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && same(head, head)) head++
  let tail = 0
  while (tail < shorter - head && same(before.length - 1 - tail, after.length - 1 - tail)) tail++
  const [rows, columns] = [before.length - head - tail, after.length - head - tail]
  const pairs: (readonly [number, number])[] = []
  for (let k = 0; k < head; k++) pairs.push([k, k])
  if (rows > 0 && columns > 0 && rows * columns <= MOST_COMPARISONS)
    for (const [i, j] of longest(rows, columns, (i, j) => same(head + i, head + j))) pairs.push([head + i, head + j])
  for (let k = tail; k > 0; k--) pairs.push([before.length - k, after.length - k])
  return pairs
}

function longest(rows: number, columns: number, same: (i: number, j: number) => boolean): [number, number][] {
  // Of what follows row i and column j: how many pairs it has at most.
  const width = columns + 1
  const best = new Uint16Array((rows + 1) * width)
  const matches = new Uint8Array(rows * columns)
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--) {
      const match = same(i, j)
      if (match) matches[i * columns + j] = 1
      best[i * width + j] = match
        ? best[(i + 1) * width + j + 1]! + 1
        : Math.max(best[(i + 1) * width + j]!, best[i * width + j + 1]!)
    }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (matches[i * columns + j] === 1) pairs.push([i++, j++])
    else if (best[(i + 1) * width + j]! >= best[i * width + j + 1]!) i++
    else j++
  }
  return pairs
}

function isSame(a: unknown, b: unknown, key: string | undefined): boolean {
  if (a === b) return true
  if (key !== undefined && isTree(a) && isTree(b) && a[key] !== undefined) return a[key] === b[key]
  return equal(a, b)
}

function has(tree: Tree, field: string): boolean {
  return Object.hasOwn(tree, field) && tree[field] !== undefined
}

/** RFC 6901. */
function token(field: string): string {
  return field.includes('~') || field.includes('/') ? field.replaceAll('~', '~0').replaceAll('/', '~1') : field
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
