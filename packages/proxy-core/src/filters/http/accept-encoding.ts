import type { Coding } from './compression.js'

/** What one compressor of a chain can do for a response. */
export interface Offer {
  readonly coding: Coding
  readonly chooseFirst: boolean
}

/** `identity`: send it as it is. `reason` is the counter that tells why; of a coding that was named it depends on who asks. */
export interface Choice {
  readonly coding: Coding | 'identity'
  readonly reason: 'named' | 'header_wildcard' | 'header_identity' | 'header_not_valid'
}

const NOTHING: Choice = { coding: 'identity', reason: 'header_not_valid' }

/**
 * Which content coding Accept-Encoding (RFC 9110 §12.5.3) chooses among those that the chain offers: the highest weight; of equal
 * ones the first that the header names, unless a compressor says choose_first. As in Envoy `*` stands for the first that is offered
 * and not refused, whether the header names it or not.
 */
export function chooseCoding(header: string, offers: readonly Offer[]): Choice {
  const wanted = parse(header)
  // What is refused once stays refused, however often it is asked for.
  const refused = new Set(wanted.filter(({ weight }) => weight === 0).map(({ name }) => name))
  const allowed = offers.filter(({ coding }) => !refused.has(coding))
  if (allowed.length === 0) return NOTHING
  const offerOf = (name: string): Offer | undefined => allowed.find(({ coding }) => coding === name)
  let best: { readonly name: string; readonly weight: number } | undefined
  for (const each of wanted) {
    const offer = offerOf(each.name)
    if (offer === undefined && each.name !== 'identity' && each.name !== '*') continue
    const least = best?.weight ?? 0
    if (each.weight > least || (each.weight === least && least > 0 && offer?.chooseFirst === true)) best = each
  }
  if (best === undefined) return NOTHING
  if (best.name === 'identity') return { coding: 'identity', reason: 'header_identity' }
  if (best.name === '*') return { coding: allowed[0]!.coding, reason: 'header_wildcard' }
  return { coding: offerOf(best.name)!.coding, reason: 'named' }
}

function parse(header: string): { name: string; weight: number }[] {
  return header.split(',').flatMap((part) => {
    // To Envoy names are as they are written: `GZIP` is nothing that it knows. Nor is a weight that is no number.
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim())
    if (name === '') return []
    const told = parameters.find((parameter) => /^q\s*=/i.test(parameter))
    const weight = told === undefined ? 1 : Number(told.slice(told.indexOf('=') + 1))
    return Number.isNaN(weight) ? [] : [{ name, weight }]
  })
}
