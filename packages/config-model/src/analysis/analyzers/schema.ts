import type { Diagnostic } from '@heddle/runtime'
import { CODE } from '../../checks/code.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

/** Validation, told as Istio tells it. */
export const schema: Analyzer = {
  name: 'schema.ValidationAnalyzer',
  summary: 'what validation refuses and warns of',
  messages: ['SchemaValidationError', 'SchemaWarning', 'VirtualServiceUnreachableRule', 'VirtualServiceIneffectiveMatch'],
  analyze({ problems }, report) {
    // Rules of one name and their matches get one text: that is told once an object.
    const told = new Map<ConfigObject | undefined, Set<string>>()
    for (const { diagnostic, object } of problems) {
      const { code, severity, path, message } = diagnostic
      const rule = code === CODE.unreachable ? UNREACHABLE.exec(message)?.groups : undefined
      const match = code === CODE.unreachableMatch ? INEFFECTIVE.exec(message)?.groups : undefined
      const about = object ?? diagnostic
      if (rule === undefined && match === undefined) {
        report(severity === 'error' ? 'SchemaValidationError' : 'SchemaWarning', about, path, textOf(diagnostic))
        continue
      }
      const texts = told.get(object) ?? new Set()
      told.set(object, texts)
      if (texts.has(message)) continue
      texts.add(message)
      if (rule !== undefined) report('VirtualServiceUnreachableRule', about, path, rule['rule']!, rule['why']!)
      else if (match !== undefined)
        report('VirtualServiceIneffectiveMatch', about, path, match['rule']!, match['match']!, match['by']!)
    }
  },
}

// As checks/unreachable.ts writes them.
const UNREACHABLE = /^virtualService rule (?<rule>.*) not used \((?<why>.*)\)$/
const INEFFECTIVE =
  /^virtualService rule (?<rule>.*) match (?<match>.*) is not used \(duplicate\/overlapping match in rule (?<by>.*)\)$/

function textOf({ path, message }: Diagnostic): string {
  return path === '' ? message : `${path}: ${message}`
}
