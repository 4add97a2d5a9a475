import type { Coding } from './compression.js'

/** What one compressor of a chain can do for a response. */
export interface Offer {
  readonly coding: Coding
  readonly chooseFirst: boolean
}

/** `identity`: send it as it is. Undefined: nothing that is offered is wanted. */
export type Choice = Coding | 'identity' | undefined

/**
 * Which content coding Accept-Encoding (RFC 9110 §12.5.3) chooses among those that the chain offers: the highest weight; of equal
 * ones the first that the header names, unless a compressor says choose_first.
 */
export function chooseCoding(header: string | undefined, offers: readonly Offer[]): Choice {
  if (header === undefined || header.trim() === '') return undefined
  const wanted = parse(header)
  const weights = new Map(wanted.map(({ name, weight }) => [name, weight]))
  // What is refused once stays refused, however often it is asked for.
  const refused = new Set(wanted.filter(({ weight }) => weight === 0).map(({ name }) => name))
  const named = wanted.filter(
    ({ name }) => !refused.has(name) && (name === 'identity' || offers.some((offer) => offer.coding === name)),
  )
  const any = weights.get('*')
  const spare = offers.find(({ coding }) => !weights.has(coding))
  if (any !== undefined && any > 0 && spare !== undefined) named.push({ name: spare.coding, weight: any })
  let best: { name: string; weight: number } | undefined
  for (const each of named) {
    if (best === undefined || each.weight > best.weight || (each.weight === best.weight && isFirst(each.name, best.name, offers)))
      best = each
  }
  return best?.name as Choice
}

function isFirst(name: string, other: string, offers: readonly Offer[]): boolean {
  const place = offers.findIndex(({ coding }) => coding === name)
  return place >= 0 && offers[place]!.chooseFirst && place < offers.findIndex(({ coding }) => coding === other)
}

function parse(header: string): { name: string; weight: number }[] {
  return header.split(',').flatMap((part) => {
    // To Envoy names are as they are written: `GZIP` is nothing that it knows. Nor is a weight that is no number.
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim())
    if (name === '') return []
    const told = parameters.find((parameter) => /^q=/i.test(parameter))
    const weight = told === undefined ? 1 : Number(told.slice(2))
    return Number.isNaN(weight) ? [] : [{ name, weight }]
  })
}
