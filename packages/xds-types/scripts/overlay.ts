import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import protobuf from 'protobufjs'
import { OVERLAY, OWN_PROTOS, protoFiles } from './load.js'

/** The parser stamps this name on what it reads; its types leave it out. */
const parser = protobuf.parse as typeof protobuf.parse & { filename: string | null }

/**
 * Adds to Envoy's messages and enums what the shipped .proto files lack. An overlay file declares the same package and
 * message with the new fields only; a field whose number exists replaces the old one, so newer rules can be taken over.
 */
export function mergeOverlay(root: protobuf.Root): void {
  if (!existsSync(OVERLAY)) return
  for (const file of protoFiles(OVERLAY)) {
    const fragment = new protobuf.Root()
    parser.filename = `envoy-api/${file}`
    protobuf.parse(readFileSync(path.join(OVERLAY, file), 'utf8'), fragment, { keepCase: true })
    mergeInto(root, fragment)
  }
  parser.filename = null
  applyChanges(root)
}

/** Facts that no fragment can say: `deprecated` fields, and oneofs that are `not_required` any more. */
function applyChanges(root: protobuf.Root): void {
  const changes = JSON.parse(readFileSync(path.join(OWN_PROTOS, 'changes.json'), 'utf8')) as Readonly<Record<string, string[]>>
  const ownerOf = (name: string): protobuf.Type => root.lookupType(name.slice(0, name.lastIndexOf('.')))
  const lastOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
  for (const name of changes['deprecated'] ?? []) ownerOf(name).fields[lastOf(name)]?.setOption('deprecated', true)
  for (const name of changes['not_required'] ?? []) {
    const oneof = ownerOf(name).oneofs?.[lastOf(name)]
    if (oneof === undefined) throw new Error(`changes.json: there is no oneof ${name}`)
    delete oneof.options
    delete oneof.parsedOptions
  }
}

function mergeInto(target: protobuf.NamespaceBase, fragment: protobuf.NamespaceBase): void {
  for (const object of [...fragment.nestedArray]) {
    const known = target.get(object.name)
    if (known === null) {
      fragment.remove(object)
      target.add(object)
    } else if (known instanceof protobuf.Type && object instanceof protobuf.Type) {
      mergeFields(known, object)
      mergeInto(known, object)
    } else if (known instanceof protobuf.Enum && object instanceof protobuf.Enum) {
      for (const [name, number] of Object.entries(object.values)) if (!(name in known.values)) known.add(name, number)
    } else if (known instanceof protobuf.Namespace && object instanceof protobuf.Namespace) {
      mergeInto(known, object)
    } else throw new Error(`overlay: ${object.fullName} is another kind of thing in Envoy's API`)
  }
}

function mergeFields(target: protobuf.Type, fragment: protobuf.Type): void {
  for (const field of [...fragment.fieldsArray]) {
    const oneof = field.partOf?.name
    const old = target.fieldsById[field.id]
    const namesake = target.fields[field.name]
    const oldOneof = oneof ?? old?.partOf?.name
    drop(target, old)
    // A number that was renamed leaves its old name to another field.
    if (namesake !== old) drop(target, namesake)
    field.partOf?.remove(field)
    if (field.parent !== null) field.parent.remove(field)
    if (oldOneof === undefined) target.add(field)
    else {
      const group = target.oneofs?.[oldOneof]
      if (group !== undefined) group.add(field)
      else {
        const created = new protobuf.OneOf(oldOneof)
        target.add(created)
        created.add(field)
      }
    }
  }
}

function drop(target: protobuf.Type, field: protobuf.Field | undefined): void {
  if (field === undefined) return
  field.partOf?.remove(field)
  if (field.parent !== null) target.remove(field)
}
