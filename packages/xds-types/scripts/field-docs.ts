import protobuf from 'protobufjs'
import { isDeprecated, isOptional, oneofOf, rulesOf } from './emit-field.js'
import { docsLink } from './names.js'
import { ruleWords } from './rule-words.js'

/** What a field is, for people: our sentence where there is one, then type, default and rules, then Envoy's page. */
export function fieldDocs(field: protobuf.Field, sentence: string | undefined): string[] {
  const oneof = oneofOf(field)
  const rules = rulesOf(field)
  const facts = [`\`${typeWords(field)}\``, defaultWords(field)]
  if (oneof !== undefined && oneof.fieldsArray.length > 1) facts.push(`one of \`${oneof.name}\``)
  if (rules !== undefined) facts.push(`rule: ${ruleWords(rules)}`)
  const link = docsLink(field, 'field')
  return [
    ...(sentence === undefined ? [] : [sentence, '']),
    facts.join('; '),
    ...(isDeprecated(field) ? ['@deprecated by Envoy'] : []),
    ...(link === undefined ? [] : [`{@link ${link}}`]),
  ]
}

function typeWords(field: protobuf.Field): string {
  field.resolve()
  const name = field.resolvedType?.name ?? field.type
  if (field instanceof protobuf.MapField) return `map<${field.keyType}, ${name}>`
  return field.repeated ? `repeated ${name}` : name
}

/** What the absent field means on the wire; what Envoy makes of it is the sentence's to tell. */
function defaultWords(field: protobuf.Field): string {
  if (field.repeated || field instanceof protobuf.MapField) return 'default empty'
  if (isOptional(field) || oneofOf(field) !== undefined || field.resolvedType instanceof protobuf.Type) return 'default unset'
  const target = field.resolvedType
  if (target instanceof protobuf.Enum) return `default ${target.valuesById[0] ?? 0}`
  if (field.type === 'bool') return 'default false'
  return field.type === 'string' || field.type === 'bytes' ? 'default empty' : 'default 0'
}
