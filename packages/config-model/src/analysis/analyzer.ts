import type { Diagnostic } from '@heddle/runtime'
import type { AnalysisContext } from './context.js'
import type { MessageArgument, MessageName } from './messages.js'
import type { ConfigObject } from './object.js'

/** Tells a message about an object (or about what could not be read), at a path inside it ('' is the whole), with what its template asks for. */
export type Report = (
  name: MessageName,
  about: ConfigObject | Diagnostic,
  path: string,
  ...args: readonly MessageArgument[]
) => void

/** Looks at a whole mesh for one sort of mistake. Pure: everything it knows is in the context. */
export interface Analyzer {
  /** Istio's name for it, if Istio has it. */
  readonly name: string
  readonly summary: string
  /** All that it may tell. */
  readonly messages: readonly MessageName[]
  analyze(context: AnalysisContext, report: Report): void
}
