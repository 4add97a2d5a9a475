import type { Diagnostic } from '@heddle/runtime'
import { CODE } from '../../checks/code.js'
import type { Analyzer } from '../analyzer.js'

/** Validation, told as Istio tells it. */
export const schema: Analyzer = {
  name: 'schema.ValidationAnalyzer',
  summary: 'what validation refuses and warns of',
  messages: ['SchemaValidationError', 'SchemaWarning', 'VirtualServiceUnreachableRule', 'VirtualServiceIneffectiveMatch'],
  analyze({ problems }, report) {
    for (const { diagnostic, object } of problems) {
      const { code, severity, path, message } = diagnostic
      const rule = code === CODE.unreachable ? UNREACHABLE.exec(message)?.groups : undefined
      const match = code === CODE.unreachableMatch ? INEFFECTIVE.exec(message)?.groups : undefined
      if (rule !== undefined) report('VirtualServiceUnreachableRule', object ?? diagnostic, path, rule['rule']!, rule['why']!)
      else if (match !== undefined)
        report('VirtualServiceIneffectiveMatch', object ?? diagnostic, path, match['rule']!, match['match']!, match['by']!)
      else
        report(severity === 'error' ? 'SchemaValidationError' : 'SchemaWarning', object ?? diagnostic, path, textOf(diagnostic))
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
