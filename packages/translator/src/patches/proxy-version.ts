import { matchesRegex } from '@heddle/config-model'

// Longer patterns match nothing: they would cost more to compile than any version needs.
const MAX_PATTERN = 1024

/** RE2, anywhere in the version. A proxy that tells no version matches no pattern. */
export function versionMatches(pattern: string, version: string): boolean {
  return version !== '' && pattern.length <= MAX_PATTERN && matchesRegex(pattern, version)
}
