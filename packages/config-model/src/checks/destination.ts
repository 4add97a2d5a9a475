import { into, refuse, type Site } from '../decode/site.js'
import type { Destination } from '../kinds/http-route.js'
import { isDnsLabel } from '../names/host.js'
import { CODE } from './code.js'
import { checkWildcardDomain } from './host.js'
import { checkPort } from './port.js'

export function checkDestination({ host, subset, port }: Destination, at: Site): void {
  if (host === '*') refuse(into(at, 'host'), CODE.host, 'invalid destination host *: name a service')
  else checkWildcardDomain(host, into(at, 'host'))
  if (subset !== undefined && subset !== '') checkSubsetName(subset, into(at, 'subset'))
  if (port !== undefined) checkPort(port.number, into(into(at, 'port'), 'number'))
}

export function checkSubsetName(name: string, at: Site): void {
  if (name === '') refuse(at, CODE.required, 'subset name cannot be empty')
  else if (!isDnsLabel(name)) refuse(at, CODE.invalid, `subset name is invalid: "${name}": letters, digits and inner dashes`)
}

/** Weights of one rule: none negative, and among several not all 0. They need not add up to 100. */
export function checkWeights(routes: readonly { weight?: number }[] | undefined, site: Site): void {
  if (routes === undefined) return
  const list = into(site, 'route')
  let total = 0
  routes.forEach(({ weight = 0 }, i) => {
    if (weight < 0) refuse(into(into(list, i), 'weight'), CODE.range, `weight ${weight} < 0`)
    total += weight
  })
  if (routes.length > 1 && total === 0)
    refuse(list, CODE.invalid, 'total destination weight = 0: give each destination its weight')
}
