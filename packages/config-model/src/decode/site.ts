import type { Diagnostic, Severity } from '@heddle/runtime'

/** What was noticed about an object. */
export interface Findings extends Array<Diagnostic> {
  /** A list element could not be read and was left out: those behind it have moved up, and judging them would name wrong places. */
  moved?: boolean
  /** What is required and missing is told, and then taken as empty, as proto JSON takes it: for those who look at objects that are refused. */
  lenient?: boolean
}

/** A place inside an object that is being read or judged: problems found there are told with its path. */
export interface Site {
  readonly parent?: Site
  /** A field name, a list index or a map key. */
  readonly key: string | number
  /** Where diagnostics go; shared by all places of an object. */
  readonly found: Findings
}

/** The object itself, path ''. */
export function rootSite(found: Findings = []): Site {
  return { key: '', found }
}

/** The place `key` inside `site`. */
export function into(site: Site, key: string | number): Site {
  return { parent: site, key, found: site.found }
}

/** What is wrong at a place and what to do. */
export function refuse(site: Site, code: string, message: string): void {
  report(site, 'error', code, message)
}

/** Worth knowing; the object is accepted. */
export function warn(site: Site, code: string, message: string): void {
  report(site, 'warning', code, message)
}

function report(site: Site, severity: Severity, code: string, message: string): void {
  site.found.push({ code, severity, message: shortened(message), path: pathOf(site) })
}

// What is wrong may be megabytes of one text.
const MOST_TEXT = 1024

function shortened(message: string): string {
  return message.length <= MOST_TEXT ? message : `${message.slice(0, MOST_TEXT / 2)} … ${message.slice(-MOST_TEXT / 2)}`
}

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/

/** `spec.http[0].match[1].headers["x.y"]`. */
export function pathOf(site: Site): string {
  const parts: (string | number)[] = []
  for (let at: Site | undefined = site; at?.parent !== undefined; at = at.parent) parts.push(at.key)
  return formatPath(parts.reverse())
}

export function formatPath(keys: readonly (string | number)[]): string {
  let path = ''
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`
    else if (PLAIN_KEY.test(key)) path += path === '' ? key : `.${key}`
    else path += `[${JSON.stringify(key)}]`
  }
  return path
}

const PATH_STEP = /\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y

/** The keys of a path as {@link formatPath} writes it; undefined when it is not one. */
export function parsePath(path: string): readonly (string | number)[] | undefined {
  const keys: (string | number)[] = []
  PATH_STEP.lastIndex = 0
  while (PATH_STEP.lastIndex < path.length) {
    const step = PATH_STEP.exec(path)
    if (step === null) return undefined
    if (step[1] !== undefined) keys.push(step[1])
    else if (step[2] !== undefined) keys.push(Number(step[2]))
    else keys.push(JSON.parse(step[3] ?? '""') as string)
  }
  return keys
}
