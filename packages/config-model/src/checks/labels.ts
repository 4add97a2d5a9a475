import { into, refuse, type Site, warn } from '../decode/site.js'
import type { LabelsSelector, MatchLabelsSelector } from '../kinds/common.js'
import { CODE } from './code.js'
import { eachEntry } from './each.js'

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const PREFIX = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*$/
const MAX_NAME = 63
const MAX_PREFIX = 253

/** Names and values as Kubernetes has them. */
export function checkLabels(labels: Readonly<Record<string, string>> | undefined, site: Site, key: string): void {
  eachEntry(labels, site, key, (label, value, at) => {
    const slash = label.indexOf('/')
    const prefix = slash < 0 ? undefined : label.slice(0, slash)
    const name = label.slice(slash + 1)
    if (
      name.length > MAX_NAME ||
      !NAME.test(name) ||
      (prefix !== undefined && (prefix.length > MAX_PREFIX || !PREFIX.test(prefix)))
    ) {
      refuse(at, CODE.label, `invalid label name "${label}": [prefix/]name of letters, digits, dashes, dots and underscores`)
    }
    if (value !== '' && (value.length > MAX_NAME || !NAME.test(value))) {
      refuse(at, CODE.label, `invalid label value "${value}": at most ${MAX_NAME} letters, digits, dashes, dots and underscores`)
    }
  })
}

/** `selector` of the security, telemetry and extension kinds; `workloadSelector` of a DestinationRule. */
export function checkMatchLabels(selector: MatchLabelsSelector | undefined, site: Site, key: string): void {
  if (selector !== undefined) checkSelected(selector.matchLabels, into(site, key), 'matchLabels')
}

/** `workloadSelector` of the networking kinds. */
export function checkWorkloadSelector(selector: LabelsSelector | undefined, site: Site, key: string): void {
  if (selector !== undefined) checkSelected(selector.labels, into(site, key), 'labels')
}

function checkSelected(labels: Readonly<Record<string, string>> | undefined, at: Site, field: string): void {
  if (labels === undefined || Object.keys(labels).length === 0) {
    warn(at, CODE.noEffect, 'workload selector specified without labels: it selects everything in the namespace')
  }
  eachEntry(labels, at, field, (name, value, place) => {
    if (name === '') refuse(place, CODE.label, `empty key is not supported in selector: "${name}=${value}"`)
    if (name.includes('*') || value.includes('*'))
      refuse(place, CODE.label, `wildcard is not supported in selector: "${name}=${value}"`)
    if (value.length > MAX_NAME) refuse(place, CODE.label, `label values have at most ${MAX_NAME} letters`)
  })
}
