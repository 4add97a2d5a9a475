/** The rules by which two sets of resources are equal: maps have no order, nor have the lists that Envoy takes as sets; durations and numbers have one meaning however written. */

type Value = unknown

const SETS: Readonly<Record<string, true>> = {
  domains: true,
  server_names: true,
  application_protocols: true,
  query_parameters: true,
  virtual_hosts: true,
  filter_chains: true,
  lb_endpoints: true,
  endpoints: true,
}

export function canonical(value: Value, field = ''): string {
  if (Array.isArray(value)) {
    const items = value.map((v) => canonical(v))
    return `[${(SETS[field] ? items.sort() : items).join(',')}]`
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== null && v !== undefined)
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v, k)}`)
      .join(',')}}`
  }
  return JSON.stringify(typeof value === 'string' ? duration(value) : String(value))
}

/** `0.250s` = `0.25s`. */
function duration(text: string): string {
  const [, whole, fraction = ''] = /^(-?\d+)\.(\d+)s$/.exec(text) ?? []
  if (whole === undefined) return text
  const rest = fraction.replace(/0+$/, '')
  return rest === '' ? `${whole}s` : `${whole}.${rest}s`
}
