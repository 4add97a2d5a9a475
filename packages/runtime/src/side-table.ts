/** Values beside objects, which do not show: neither in a copy nor in JSON. A value lives as long as its object. */
export interface SideTable<V> {
  /** Undefined: none was set. */
  of(object: object): V | undefined
  set(object: object, value: V): void
}

/** Gives the object that it is given, so that a class that extends it puts its private fields there. */
class Itself {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what the class is for
    return object
  }
}

/**
 * What a WeakMap would be for, where objects are many and short-lived: a WeakMap of those costs 0.7 µs an entry and keeps the values until the old
 * generation is collected. Here a value stands in a private field of its object and dies with it.
 */
export function createSideTable<V>(): SideTable<V> {
  // Of objects that take no more fields; there is none as long as nobody has such: looking there costs as much as all the rest.
  let sealed: WeakMap<object, V> | undefined
  class Beside extends Itself {
    #value: V

    constructor(object: object, value: V) {
      super(object)
      this.#value = value
    }

    static of(object: object): V | undefined {
      return #value in object ? object.#value : sealed?.get(object)
    }

    static set(object: object, value: V): void {
      if (#value in object) object.#value = value
      else if (Object.isExtensible(object)) new Beside(object, value)
      else (sealed ??= new WeakMap()).set(object, value)
    }
  }
  return Beside
}
