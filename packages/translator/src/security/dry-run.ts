import { parseBool } from '../pilot-features.js'

/** Where proxies keep what a rehearsal came to: a key of dynamic metadata, and what its statistics are called. */
export const REHEARSAL = 'heddle_dry_run'

/** On a PeerAuthentication or a RequestAuthentication: the policy denies nobody, and proxies tell whom it would deny. */
const ANNOTATION = 'heddle.dev/dry-run'

export function isRehearsed(policy: { metadata: { annotations: Readonly<Record<string, string>> } }): boolean {
  return parseBool(policy.metadata.annotations[ANNOTATION]) === true
}
