type Step = string | number

/** A value or bytes that do not fit the type. It starts where it was found; each level that it passes on its way out puts its step in front. */
export class Misfit extends Error {
  readonly #path: Step[] = []

  /** `filter_chains[0].filters[1].name`; '' at the root. */
  get path(): string {
    return this.#path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')
  }

  below(step: Step): this {
    this.#path.unshift(step)
    return this
  }
}

/** @throws Misfit */
export function misfit(message: string): never {
  throw new Misfit(message)
}

/** What to throw on from inside `step`: costs nothing as long as all is well, unlike a path that is kept up to date. */
export function below(step: Step, error: unknown): unknown {
  return error instanceof Misfit ? error.below(step) : error
}
