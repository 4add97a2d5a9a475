import type { SecretSource } from '../config/compiled.js'

/** A source that remembers which names were asked for, so that a resource can wait for the secrets its compiling wanted. */
export interface RecordedSecrets extends SecretSource {
  /** The names since the last call. */
  take(): readonly string[]
  /** All names ever asked for. */
  names(): ReadonlySet<string>
}

export function recordSecrets(source: SecretSource): RecordedSecrets {
  let names = new Set<string>()
  const all = new Set<string>()
  return {
    watch(name) {
      names.add(name)
      all.add(name)
      return source.watch(name)
    },
    owns: (name) => source.owns?.(name) ?? false,
    names: () => all,
    take() {
      const taken = [...names]
      names = new Set()
      return taken
    },
  }
}
