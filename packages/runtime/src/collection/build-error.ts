/** A build function threw. Its key has no output until something that it read changes; all other keys are as they should be. */
export class BuildError extends Error {
  readonly collection: string
  readonly key: string
  constructor(collection: string, key: string, cause: unknown) {
    super(`building ${collection}[${key}]: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'BuildError'
    this.collection = collection
    this.key = key
  }
}
