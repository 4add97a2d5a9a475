import { type DestinationExtensions, type DestinationRule, destinationExtensions } from '@heddle/config-model'
import type { MergedRule } from '../merged-rules.js'

type Extension = keyof DestinationExtensions

/** The oldest of a host's DestinationRules that asks for an extension, and what it asks. */
export function extensionOf<K extends Extension>(
  rule: MergedRule | undefined,
  name: K,
): { readonly source: DestinationRule; readonly value: NonNullable<DestinationExtensions[K]> } | undefined {
  for (const source of rule?.sources ?? []) {
    const value = destinationExtensions(source)[name]
    if (value !== undefined) return { source, value }
  }
  return undefined
}
