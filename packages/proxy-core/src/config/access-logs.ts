import type { AccessLogConfig } from '../observe/access-log.js'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'

/** A list of envoy.config.accesslog.v3.AccessLog. */
export function compileAccessLogs<K extends string>(
  fields: Fields<{ [name in K]?: readonly object[] | undefined }>,
  name: K,
  deps: CompileDeps,
): readonly AccessLogConfig[] {
  const logs = fields.raw(name)
  if (!Array.isArray(logs)) return []
  const path = fields.path === '' ? name : `${fields.path}.${name}`
  return logs.flatMap((log, i) => fields.take(deps.accessLog(log, `${path}[${i}]`)) ?? [])
}
