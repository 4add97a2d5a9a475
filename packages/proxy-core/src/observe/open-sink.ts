import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { AccessLogSink, AccessLogSinks } from './access-log.js'

/** What cannot be written to is a problem at `path`, with code `log.path`. */
export function openSink(sinks: AccessLogSinks, target: string, path: string): Result<AccessLogSink> {
  try {
    return ok(sinks(target))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return fail(problem('log.path', path, `The file ${JSON.stringify(target)} cannot be written to: ${reason}.`))
  }
}
