import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeResource } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { KNOWN_MISSES } from './validation-misses.js'

interface Case {
  id: string
  object: unknown
  want: { error?: boolean | string; warning?: boolean | string }
}

const file = (process.env['HEDDLE_CONFORMANCE'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'validation.json'))
  .find((path) => existsSync(path))

// `{"$repeat": c, "n": N}` is a long text.
function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand)
  if (typeof value !== 'object' || value === null) return value
  if ('$repeat' in value && 'n' in value) return String(value.$repeat).repeat(Number(value.n))
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, expand(child)]))
}

function complaint(
  found: readonly Diagnostic[],
  severity: 'error' | 'warning',
  want: boolean | string | undefined,
): string | undefined {
  const messages = found.filter((diagnostic) => diagnostic.severity === severity).map(({ path, message }) => `${path} ${message}`)
  if (want === undefined || (typeof want === 'boolean' && want === messages.length > 0)) return undefined
  if (typeof want === 'string' && messages.some((message) => message.toLowerCase().includes(want.toLowerCase()))) return undefined
  return `want ${severity} ${want}, got ${JSON.stringify(messages)}`
}

function judge({ object, want }: Case): string | undefined {
  const result = decodeResource(expand(object))
  return complaint(result.diagnostics, 'error', want.error) ?? complaint(result.diagnostics, 'warning', want.warning)
}

describe.skipIf(file === undefined)(
  'verdicts of Istio (skipped: HEDDLE_CONFORMANCE names no folder with validation.json)',
  () => {
    const cases = file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as Case[])

    it('agree, but for the known misses', () => {
      const misses = new Map(cases.flatMap((one) => [[one.id, judge(one)] as const]).filter(([, why]) => why !== undefined))
      const unknown = [...misses].filter(([id]) => !Object.hasOwn(KNOWN_MISSES, id)).map(([id, why]) => `${id}: ${why}`)
      console.log(`validation: ${cases.length - misses.size}/${cases.length}`)
      expect(unknown).toEqual([])
    })

    it('has no known miss that passes', () => {
      const ids = new Map(cases.map((one) => [one.id, one]))
      const stale = Object.keys(KNOWN_MISSES).filter((id) => ids.has(id) && judge(ids.get(id)!) === undefined)
      expect(stale).toEqual([])
    })
  },
)
