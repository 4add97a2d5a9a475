import type { Bootstrap } from '@heddle/xds-types/envoy/config/bootstrap/v3'

/** Envoy's runtime: values by key, laid over what configuration says. Keys of nested objects are joined with dots. */
export interface Runtime {
  /** A share from 0 to 1: a number is percent, an object is a FractionalPercent; undefined: the key is not set. */
  share(key: string): number | undefined
  number(key: string): number | undefined
  boolean(key: string): boolean | undefined
  /** The admin layer: over all others. An empty text takes a key away. */
  modify(values: ReadonlyMap<string, string>): void
  entries(): readonly (readonly [key: string, value: string])[]
}

type Value = number | string | boolean | Readonly<Record<string, unknown>>

const DENOMINATORS: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }

/** `layers`: static layers, the last wins. */
export function createRuntime(layers: readonly Readonly<Record<string, unknown>>[]): Runtime {
  const fixed = new Map<string, Value>()
  for (const layer of layers) flatten(layer, '', fixed)
  const admin = new Map<string, Value>()
  const get = (key: string): Value | undefined => admin.get(key) ?? fixed.get(key)
  return {
    share: (key) => shareOf(get(key)),
    number(key) {
      const value = get(key)
      return typeof value === 'number' ? value : undefined
    },
    boolean(key) {
      const value = get(key)
      return typeof value === 'boolean' ? value : undefined
    },
    modify(values) {
      for (const [key, text] of values) {
        if (text === '') admin.delete(key)
        else admin.set(key, parse(text))
      }
    },
    entries: () =>
      [...new Map([...fixed, ...admin])]
        .map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : String(value)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
  }
}

/** The static layers of a bootstrap. */
export function runtimeOf({ layered_runtime: layered }: Bootstrap): Runtime {
  return createRuntime(layered?.layers?.flatMap(({ static_layer: layer }) => (layer === undefined ? [] : [layer])) ?? [])
}

function flatten(value: Readonly<Record<string, unknown>>, prefix: string, into: Map<string, Value>): void {
  for (const [name, inner] of Object.entries(value)) {
    const key = prefix === '' ? name : `${prefix}.${name}`
    if (isObject(inner) && !isFraction(inner)) flatten(inner, key, into)
    else if (inner !== null && inner !== undefined) into.set(key, inner as Value)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isFraction = (value: Readonly<Record<string, unknown>>): boolean => 'numerator' in value || 'denominator' in value

function shareOf(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return Math.min(1, Math.max(0, value / 100))
  if (typeof value !== 'object') return undefined
  const { numerator = 0, denominator = 'HUNDRED' } = value
  return Math.min(1, Number(numerator) / (DENOMINATORS[String(denominator)] ?? 100))
}

function parse(text: string): Value {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  return text === 'true' ? true : text === 'false' ? false : text
}
