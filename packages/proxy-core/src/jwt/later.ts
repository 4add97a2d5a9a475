/** A value that is there at once, or that must be waited for: what needs no waiting costs no promise. */
export type Later<T> = T | Promise<T>

export function andThen<T, U>(value: Later<T>, next: (value: T) => Later<U>): Later<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
