import { into, refuse, type Site, warn } from '../decode/site.js'
import type { LocalityLoadBalancerSetting } from '../kinds/common.js'
import { LABELS } from '../names/labels.js'
import { CODE } from './code.js'
import { each } from './each.js'

/** `outlier`: whether unhealthy endpoints are detected, without which there is no failover. */
export function checkLocality(setting: LocalityLoadBalancerSetting | undefined, outlier: boolean, at: Site): void {
  if (setting === undefined) return
  const { distribute = [], failover = [], failoverPriority = [] } = setting
  if (distribute.length > 0 && failover.length > 0)
    refuse(at, CODE.conflict, "can not simultaneously specify 'distribute' and 'failover'")
  if (failover.length > 0) {
    each(failoverPriority, at, 'failoverPriority', (label, place) => {
      if (([LABELS.region, LABELS.zone, LABELS.subzone] as string[]).includes(label)) {
        refuse(place, CODE.conflict, `can not simultaneously set 'failover' and topology label '${label}' in 'failover_priority'`)
      }
    })
  }
  each(distribute, at, 'distribute', ({ to }, place) => {
    const weights = Object.entries(to)
    for (const [locality, weight] of weights) {
      if (weight < 1 || weight > 100)
        refuse(into(into(place, 'to'), locality), CODE.range, 'locality weight must be in range [1, 100]')
    }
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0)
    if (total !== 100) refuse(into(place, 'to'), CODE.invalid, `total locality weight ${total} != 100`)
    checkLocalities(
      weights.map(([locality]) => locality),
      into(place, 'to'),
    )
  })
  checkLocalities(
    distribute.map(({ from }) => from),
    into(at, 'distribute'),
  )
  if ((failover.length > 0 || failoverPriority.length > 0) && !outlier)
    warn(at, CODE.noEffect, 'outlier detection policy must be provided for failover')
  each(failover, at, 'failover', ({ from, to }, place) => {
    if (from === to) refuse(place, CODE.invalid, 'locality lb failover settings must specify different regions')
    if (from.includes('*') || to.includes('*'))
      refuse(place, CODE.invalid, "locality lb failover region should not contain '*' wildcard")
    if (from.includes('/') || to.includes('/')) refuse(place, CODE.invalid, 'locality lb failover only specify region')
  })
}

// Well formed, and none within another.
function checkLocalities(localities: readonly string[], at: Site): void {
  for (const locality of localities) {
    const parts = locality.split('/')
    if (parts.includes('') || parts.length > 3)
      refuse(at, CODE.invalid, `locality "${locality}" must be region, region/zone or region/zone/subzone`)
    if (parts.slice(0, -1).some((part) => part.includes('*')))
      refuse(at, CODE.invalid, `locality "${locality}" wildcard '*' must be the last part`)
  }
  const prefix = (locality: string): string => `${locality.replace(/\/?\*$/, '')}/`
  localities.forEach((locality, i) => {
    const twin = localities.slice(0, i).find((other) => overlaps(prefix(locality), prefix(other)))
    if (twin !== undefined) refuse(at, CODE.conflict, `locality "${locality}" overlap with "${twin}"`)
  })
}

function overlaps(a: string, b: string): boolean {
  return a === '/' || b === '/' || a.startsWith(b) || b.startsWith(a)
}
