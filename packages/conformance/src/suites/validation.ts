import { decodeResource } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import { each, type Suite, type Verdict } from '../suite.js'

interface Case {
  readonly id: string
  readonly object: unknown
  readonly want: { readonly error?: boolean | string; readonly warning?: boolean | string }
}

/** One object -> Istio's verdict: whether there are errors and warnings, or what they say. What the case does not name is not compared. */
export const validation: Suite = {
  name: 'validation',
  file: 'validation.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

function judge({ object, want }: Case): Verdict {
  const { diagnostics } = decodeResource(expand(object))
  return complaint(diagnostics, 'error', want.error) ?? complaint(diagnostics, 'warning', want.warning)
}

function complaint(found: readonly Diagnostic[], severity: 'error' | 'warning', want: boolean | string | undefined): Verdict {
  const messages = found.filter((one) => one.severity === severity).map(({ path, message }) => `${path} ${message}`)
  const right =
    typeof want === 'string'
      ? messages.some((message) => message.toLowerCase().includes(want.toLowerCase()))
      : want === undefined || want === messages.length > 0
  return right ? undefined : `want ${severity} ${JSON.stringify(want)}, got ${JSON.stringify(messages)}`
}

/** `{"$repeat": c, "n": N}` is a long text. */
function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand)
  if (typeof value !== 'object' || value === null) return value
  if ('$repeat' in value && 'n' in value) return String(value.$repeat).repeat(Number(value.n))
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, expand(child)]))
}
