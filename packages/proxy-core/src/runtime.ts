import type { Bootstrap } from '@heddle/xds-types/envoy/config/bootstrap/v3'

/** Envoy's runtime: values by key, laid over what configuration says. Keys of nested objects are joined with dots. */
export interface Runtime {
  /** A share from 0 to 1: a number is percent, an object is a FractionalPercent; undefined: the key is not set. */
  share(key: string): number | undefined
  number(key: string): number | undefined
  boolean(key: string): boolean | undefined
  /** Another after every change. */
  readonly version: number
  /** The admin layer, which goes before all others; an empty text takes a key away. False: there is no such layer. */
  modify(values: ReadonlyMap<string, string>): boolean
  /** The whole layer that an RTDS resource of this name is; undefined: there is none. False: no layer is filled from it. */
  discover(resource: string, values: Readonly<Record<string, unknown>> | undefined): boolean
  /** Names of the RTDS resources that fill layers. */
  readonly discovered: readonly string[]
  /** Their names, the last wins. */
  readonly layers: readonly string[]
  /** What each layer says of a key; empty: nothing. */
  entries(): readonly (readonly [key: string, values: readonly string[]])[]
}

/** One layer of layered_runtime: fixed values, the admin page's, or those of an RTDS resource. */
export type RuntimeLayer =
  | { readonly name: string; readonly values: Readonly<Record<string, unknown>> }
  | { readonly name: string; readonly admin: true }
  | { readonly name: string; readonly resource: string }

type Value = number | string | boolean | Readonly<Record<string, unknown>>
type Values = ReadonlyMap<string, Value>

const DENOMINATORS: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }

/** In order: what a later layer says of a key goes before what earlier ones do. */
export function createRuntime(layers: readonly RuntimeLayer[]): Runtime {
  const admin = new Map<string, Value>()
  const contents: Values[] = layers.map((layer) =>
    'values' in layer ? flattened(layer.values) : 'admin' in layer ? admin : new Map(),
  )
  let version = 0
  const get = (key: string): Value | undefined => contents.findLast((values) => values.has(key))?.get(key)
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
    get version() {
      return version
    },
    modify(values) {
      version++
      for (const [key, text] of values) {
        if (text === '') admin.delete(key)
        else admin.set(key, parse(text))
      }
      return layers.some((layer) => 'admin' in layer)
    },
    discover(resource, values = {}) {
      let found = false
      version++
      for (const [i, layer] of layers.entries()) {
        if (!('resource' in layer) || layer.resource !== resource) continue
        contents[i] = flattened(values)
        found = true
      }
      return found
    },
    discovered: [...new Set(layers.flatMap((layer) => ('resource' in layer ? [layer.resource] : [])))],
    layers: layers.map(({ name }) => name),
    entries() {
      const keys = new Set(contents.flatMap((values) => [...values.keys()]))
      return [...keys].sort().map((key) => [key, contents.map((values) => textOf(values.get(key)))] as const)
    },
  }
}

/** The layers of a bootstrap; those on disk are left out. */
export function runtimeOf({ layered_runtime: layered }: Bootstrap): Runtime {
  return createRuntime(
    (layered?.layers ?? []).flatMap((layer): RuntimeLayer[] => {
      const { name = '' } = layer
      if (layer.static_layer !== undefined) return [{ name, values: layer.static_layer }]
      if (layer.rtds_layer !== undefined) return [{ name, resource: layer.rtds_layer.name ?? '' }]
      return layer.admin_layer === undefined ? [] : [{ name, admin: true }]
    }),
  )
}

function textOf(value: Value | undefined): string {
  if (value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function flattened(values: Readonly<Record<string, unknown>>): Values {
  const flat = new Map<string, Value>()
  flatten(values, '', flat)
  return flat
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
