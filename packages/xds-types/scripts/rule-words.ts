type Rule = Readonly<Record<string, unknown>>

/** protoc-gen-validate rules in words: `at least 1 character`, `more than 0s`. */
export function ruleWords(rules: Rule): string {
  const words = Object.entries(rules).flatMap(([kind, rule]) => kindWords(kind, rule as Rule))
  return words.length === 0 ? 'none' : words.join(', ')
}

function kindWords(kind: string, rule: Rule): string[] {
  if (kind === 'repeated' || kind === 'map') return collectionWords(rule)
  const isLength = kind === 'string' || kind === 'bytes'
  return Object.entries(rule).flatMap(([name, value]) =>
    (isLength ? (lengthWords(name, value, kind) ?? []) : []).concat(
      isLength && lengthWords(name, value, kind) !== undefined ? [] : plainWords(name, value, kind),
    ),
  )
}

function collectionWords(rule: Rule): string[] {
  return Object.entries(rule).flatMap(([name, value]) => {
    if (name === 'min_items' || name === 'min_pairs') return [`at least ${count(value, name.slice(4, -1))}`]
    if (name === 'max_items' || name === 'max_pairs') return [`at most ${count(value, name.slice(4, -1))}`]
    if (name === 'unique') return ['no two equal']
    const of = { items: 'each item', keys: 'each key', values: 'each value' }[name]
    return of === undefined ? [`${name} ${String(value)}`] : [`${of} ${ruleWords(value as Rule)}`]
  })
}

function lengthWords(name: string, value: unknown, kind: string): string[] | undefined {
  const unit = kind === 'bytes' || name.endsWith('bytes') ? 'byte' : 'character'
  if (name === 'min_len' || name === 'min_bytes') return [`at least ${count(value, unit)}`]
  if (name === 'max_len' || name === 'max_bytes') return [`at most ${count(value, unit)}`]
  return name === 'len' ? [`exactly ${count(value, unit)}`] : undefined
}

function plainWords(name: string, value: unknown, kind: string): string[] {
  const text = kind === 'duration' || kind === 'timestamp' ? secondsText(value) : listText(value)
  const words: Readonly<Record<string, string>> = {
    gt: `more than ${text}`,
    gte: `at least ${text}`,
    lt: `less than ${text}`,
    lte: `at most ${text}`,
    const: `exactly ${text}`,
    in: `one of ${text}`,
    not_in: `none of ${text}`,
    prefix: `begins with ${text}`,
    suffix: `ends with ${text}`,
    pattern: `matches \`${String(value)}\``,
    well_known_regex: `is a ${String(value)}`,
    ignore_empty: 'or empty',
    required: 'required',
    defined_only: 'a value that is defined',
    skip: 'what is in it is not checked',
  }
  if (name === 'strict') return value === false ? ['leniently'] : []
  return [words[name] ?? `${name} ${text}`]
}

const count = (value: unknown, unit: string): string => `${String(value)} ${unit}${Number(value) === 1 ? '' : 's'}`
const listText = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value)

function secondsText(value: unknown): string {
  const { seconds = 0, nanos = 0 } = value as { seconds?: number; nanos?: number }
  return `${Number(seconds) + Number(nanos) / 1e9}s`
}
