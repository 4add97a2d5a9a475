import type { MessageType, TypeRegistry } from './types.js'

/** @param types when a name stands twice the last wins, so a user's own list may follow a given one: `[...knownTypes.types, Mine]`. */
export function createTypeRegistry(types: Iterable<MessageType<unknown>>): TypeRegistry {
  const byName = new Map<string, MessageType<unknown>>()
  /** By the URL that everybody writes: nothing to cut off. */
  const byUrl = new Map<string, MessageType<unknown>>()
  for (const type of types) {
    byName.set(type.typeName, type)
    byUrl.set(type.typeUrl, type)
  }
  return {
    find(name: string): MessageType<unknown> | undefined {
      return byUrl.get(name) ?? byName.get(typeNameOf(name))
    },
    get types() {
      return byName.values()
    },
  }
}

/** `type.googleapis.com/a.b.C` -> `a.b.C` */
export function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
}
