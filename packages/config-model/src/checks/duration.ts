import { into, refuse, type Site } from '../decode/site.js'
import { CODE } from './code.js'

/** At least a millisecond, and whole ones. */
export function checkDuration(ms: number | undefined, site: Site, key: string): void {
  if (ms === undefined) return
  if (ms < 1) refuse(into(site, key), CODE.duration, 'duration must be at least 1ms')
  else if (!Number.isInteger(ms)) refuse(into(site, key), CODE.duration, 'only durations to ms precision are supported')
}
