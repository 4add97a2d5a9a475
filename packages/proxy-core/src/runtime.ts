import type { Bootstrap } from '@heddle/xds-types/envoy/config/bootstrap/v3'

/** Envoy's runtime: values by key, laid over what configuration says. Keys of nested objects are joined with dots. */
export interface Runtime {
  /** A share from 0 to 1: a number is percent, an object is a FractionalPercent; undefined: the key is not set. */
  share(key: string): number | undefined
  number(key: string): number | undefined
  boolean(key: string): boolean | undefined
  /** The admin layer, which goes before all others; an empty text takes a key away. False: there is no such layer. */
  modify(values: ReadonlyMap<string, string>): boolean
  /** Their names, the last wins. */
  readonly layers: readonly string[]
  /** What each layer says of a key; empty: nothing. */
  entries(): readonly (readonly [key: string, values: readonly string[]])[]
}

/** One layer of layered_runtime. */
export interface RuntimeLayer {
  readonly name: string
  readonly values: Readonly<Record<string, unknown>>
}

type Value = number | string | boolean | Readonly<Record<string, unknown>>

const DENOMINATORS: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }

/** `adminLayer`: the name of the layer that may be changed at runtime; absent: none may. */
export function createRuntime(layers: readonly RuntimeLayer[], adminLayer?: string): Runtime {
  const fixed = layers.map(({ values }) => {
    const flat = new Map<string, Value>()
    flatten(values, '', flat)
    return flat
  })
  const admin = new Map<string, Value>()
  const all = adminLayer === undefined ? fixed : [...fixed, admin]
  const lastFirst = [...all].reverse()
  const get = (key: string): Value | undefined => lastFirst.find((layer) => layer.has(key))?.get(key)
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
      return adminLayer !== undefined
    },
    layers: [...layers.map(({ name }) => name), ...(adminLayer === undefined ? [] : [adminLayer])],
    entries() {
      const keys = new Set(all.flatMap((layer) => [...layer.keys()]))
      return [...keys].sort().map((key) => [key, all.map((layer) => textOf(layer.get(key)))] as const)
    },
  }
}

/** Static layers and the admin layer of a bootstrap. */
export function runtimeOf({ layered_runtime: layered }: Bootstrap): Runtime {
  const layers = layered?.layers ?? []
  const fixed = layers.flatMap(({ name = '', static_layer: values }) => (values === undefined ? [] : [{ name, values }]))
  return createRuntime(fixed, layers.find(({ admin_layer: admin }) => admin !== undefined)?.name)
}

function textOf(value: Value | undefined): string {
  if (value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
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
