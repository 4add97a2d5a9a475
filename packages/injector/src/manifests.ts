import { type Diagnostic, fail, ok, type Result } from '@heddle/runtime'
import { dump } from 'js-yaml'
import { inject, type ObjectDecision } from './inject.js'
import type { KubernetesObject } from './kubernetes.js'
import type { InjectOptions } from './options.js'
import { loadYaml } from './yaml.js'

export interface InjectedManifest {
  yaml: string
  decisions: readonly ObjectDecision[]
}

export interface ManifestOptions extends InjectOptions {
  /** For messages. */
  file?: string
}

/**
 * Injects a stream of YAML documents, as `istioctl kube-inject`. Documents that are not injected keep every byte, with comments and
 * separators; injected ones are written anew. If one document is wrong, nothing is injected and the diagnostics name all that are.
 */
export function injectManifest(yaml: string, options: ManifestOptions = {}): Result<InjectedManifest> {
  const diagnostics: Diagnostic[] = []
  const decisions: ObjectDecision[] = []
  let failed = false
  const parts = splitDocuments(yaml).map(({ text, line }) => {
    const result = injectDocument(text, options)
    const locate = (diagnostic: Diagnostic): Diagnostic =>
      options.file === undefined
        ? diagnostic
        : { ...diagnostic, origin: { file: options.file, line: line + (diagnostic.origin?.line ?? 1) - 1 } }
    diagnostics.push(...result.diagnostics.map(locate))
    if (!result.ok) {
      failed = true
      return text
    }
    decisions.push(...result.value.decisions)
    return result.value.yaml
  })
  return failed ? fail(...diagnostics) : ok({ yaml: parts.join(''), decisions }, diagnostics)
}

function injectDocument(text: string, options: InjectOptions): Result<InjectedManifest> {
  const untouched = ok({ yaml: text, decisions: [] })
  if (isBlank(text)) return untouched
  const loaded = loadYaml(text)
  if (!loaded.ok) return fail(...loaded.diagnostics)
  const object = loaded.value
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return untouched
  const result = inject(object as KubernetesObject, options)
  if (!result.ok) return fail(...result.diagnostics)
  const { decisions } = result.value
  if (!decisions.some((decision) => decision.inject)) return ok({ yaml: text, decisions }, result.diagnostics)
  const separator = /^---[^\n]*\n?/.exec(text)?.[0] ?? ''
  return ok(
    { yaml: `${separator === '' ? '' : '---\n'}${dump(result.value.object, { lineWidth: -1, noRefs: true })}`, decisions },
    result.diagnostics,
  )
}

/** Each document with its `---` line before it; joined they are the input. `---` at the start of a line is a separator wherever it stands. */
export function splitDocuments(yaml: string): { text: string; line: number }[] {
  const documents: { text: string; line: number }[] = []
  let text = ''
  let start = 1
  let line = 0
  for (const row of yaml.split(/(?<=\n)/)) {
    line++
    if (/^---(\s|$)/.test(row) && text !== '') {
      documents.push({ text, line: start })
      text = ''
      start = line
    }
    text += row
  }
  return text === '' ? documents : [...documents, { text, line: start }]
}

/** Nothing but separators, comments and directives. */
function isBlank(text: string): boolean {
  return text.split('\n').every((row) => /^\s*(#.*)?$|^---\s*(#.*)?$|^\.\.\.\s*$|^%/.test(row))
}
