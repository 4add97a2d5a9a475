import type { HttpRequest } from '../http/message.js'

/** What actions may ask about a request. */
export interface ActionContext {
  readonly request: HttpRequest
  /** The client as far as it is trusted, without its port. */
  readonly remoteAddress: string
  /** Of the node. */
  readonly sourceCluster: string
  readonly destinationCluster: string | undefined
  dynamicMetadata(namespace: string): unknown
  routeMetadata(namespace: string): unknown
}

export interface DescriptorEntry {
  readonly key: string
  readonly value: string
}

export interface DescriptorLimit {
  readonly requests_per_unit: number
  /** `SECOND`, `MINUTE` ... */
  readonly unit: string
}

export interface Descriptor {
  readonly entries: readonly DescriptorEntry[]
  readonly limit?: DescriptorLimit
  readonly hits_addend?: number
}

export type DescriptorAction = (context: ActionContext) => DescriptorEntry | 'skip' | undefined

/** rate_limits: which descriptor a request makes. */
export interface RateLimitRule {
  readonly stage: number
  readonly actions: readonly DescriptorAction[]
  limit?(context: ActionContext): DescriptorLimit | undefined
  readonly hitsAddend?: number
}

/** One descriptor for each rule of the stage whose actions all have something to say. */
export function describeRequest(rules: readonly RateLimitRule[], stage: number, context: ActionContext): Descriptor[] {
  return rules.flatMap((rule) => {
    if (rule.stage !== stage) return []
    const entries: DescriptorEntry[] = []
    for (const action of rule.actions) {
      const entry = action(context)
      if (entry === undefined) return []
      if (entry !== 'skip') entries.push(entry)
    }
    if (entries.length === 0) return []
    const limit = rule.limit?.(context)
    return [{ entries, ...(limit && { limit }), ...(rule.hitsAddend !== undefined && { hits_addend: rule.hitsAddend }) }]
  })
}
