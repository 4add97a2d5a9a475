import { into, refuse, type Site } from '../decode/site.js'
import { isDnsLabel } from '../names/host.js'
import { CODE } from './code.js'

export interface ExportToRules {
  /** `~`: nobody; only ServiceEntry. */
  allowNone?: boolean
  /** A DestinationRule with a workload selector stays in its namespace. */
  onlyOwn?: boolean
}

export function checkExportTo(
  exportTo: readonly string[] | undefined,
  namespace: string,
  site: Site,
  rules: ExportToRules = {},
): void {
  if (exportTo === undefined || exportTo.length === 0) return
  const list = into(site, 'exportTo')
  const seen = new Set<string>()
  exportTo.forEach((entry, i) => {
    const at = into(list, i)
    const key = entry === '.' ? namespace : entry
    if (seen.has(key)) {
      refuse(
        at,
        CODE.duplicate,
        key === entry
          ? `duplicate entries in exportTo for entry ${entry}`
          : `duplicate entries in exportTo: . and current namespace ${namespace}`,
      )
    } else if (entry === '~' && rules.allowNone !== true) {
      refuse(at, CODE.invalid, 'only . (this namespace), * (all) or a namespace is allowed')
    } else if (key !== '*' && key !== '~' && key !== namespace && !isDnsLabel(key)) {
      refuse(at, CODE.invalid, `only . (this namespace), * (all) or a namespace is allowed: "${entry}" is none`)
    } else seen.add(key)
  })
  if (rules.onlyOwn === true && !seen.has(namespace))
    refuse(list, CODE.conflict, 'with a workload selector it cannot be exported beyond current namespace: write .')
  if (rules.onlyOwn === true && seen.size > 1)
    refuse(list, CODE.conflict, 'with a workload selector there cannot be multiple entries in exportTo')
  if (seen.has('*') && exportTo.length > 1)
    refuse(list, CODE.conflict, 'cannot have both public (*) and non-public exportTo values for a resource')
  if (seen.has('~') && exportTo.length > 1) refuse(list, CODE.conflict, 'cannot export to no one (~) and someone')
}
