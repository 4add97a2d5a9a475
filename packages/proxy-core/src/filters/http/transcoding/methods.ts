import { isShallow } from '../../../http/json-depth.js'
import type { Descriptors, MessageDescriptor, MethodDescriptor } from './descriptors.js'
import { fieldBytes, fromJson, type ParseOptions } from './from-json.js'
import { type Binding, compilePathTemplate, type PathTemplate } from './path-template.js'
import { TranscodingError } from './to-json.js'
import { lengthDelimited } from './wire.js'

/** One way to call a gRPC method over HTTP. */
export interface Route {
  readonly verb: string
  readonly template: PathTemplate
  readonly wildcards: number
  readonly path: string
  readonly method: MethodDescriptor
  readonly input: MessageDescriptor
  readonly output: MessageDescriptor
  readonly body: string
  readonly responseBody: string
}

export interface MatchedCall {
  readonly route: Route
  /** Of the path, then of the query. */
  readonly bindings: readonly Binding[]
  readonly unknownQuery: readonly string[]
}

export interface MatchOptions {
  readonly ignoredQuery: ReadonlySet<string>
  readonly unescapePlus: boolean
}

/** The routes of these services; texts: what is wrong. */
export function routesOf(services: readonly string[], types: Descriptors, autoMapping: boolean): readonly (Route | string)[] {
  return services.flatMap((name): (Route | string)[] => {
    const service = types.service(name)
    if (service === undefined) return [`the descriptor set has no service ${name}`]
    return service.methods.flatMap((method): (Route | string)[] => {
      const [input, output] = [types.message(method.input), types.message(method.output)]
      if (input === undefined || output === undefined) return [`the descriptor set lacks a message of ${name}.${method.name}`]
      const path = `/${name}/${method.name}`
      const auto = { method: 'POST', template: path, body: '*', responseBody: '' }
      const rules = method.rules.length === 0 && autoMapping ? [auto] : method.rules
      return rules.map((rule): Route | string => {
        const template = compilePathTemplate(rule.template)
        if (template === undefined) return `${name}.${method.name}: ${rule.template} is no path template`
        const { body, responseBody } = rule
        const wildcards = rule.template.match(/[*{]/g)?.length ?? 0
        return { verb: rule.method, template, wildcards, path, method, input, output, body, responseBody }
      })
    })
  })
}

/** The first of the routes that takes the path. */
export function matchCall(
  routes: readonly Route[],
  verb: string,
  target: string,
  options: MatchOptions,
): MatchedCall | undefined {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  for (const route of routes) {
    if (route.verb !== verb) continue
    const bindings = route.template.match(path)
    if (bindings === undefined) continue
    const query = mark < 0 ? [] : queryBindings(target.slice(mark + 1), options)
    const known = query.filter(({ field }) => fieldPath(route.input, field) !== undefined)
    const unknownQuery = query.filter((each) => !known.includes(each)).map(({ field }) => field)
    return { route, bindings: [...bindings, ...known], unknownQuery }
  }
  return undefined
}

function queryBindings(query: string, { ignoredQuery, unescapePlus }: MatchOptions): readonly Binding[] {
  return query.split('&').flatMap((part) => {
    const equals = part.indexOf('=')
    const field = equals < 0 ? part : part.slice(0, equals)
    if (field === '' || ignoredQuery.has(field)) return []
    const raw = equals < 0 ? '' : part.slice(equals + 1)
    return [{ field, value: decode(unescapePlus ? raw.replaceAll('+', ' ') : raw) }]
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function fieldPath(type: MessageDescriptor, path: string): boolean | undefined {
  // Only the first step can be judged without the types of the others; those are when the value is written.
  return type.byName(path.split('.')[0]!) === undefined ? undefined : true
}

/**
 * The message of a request: what path and query say of its own fields, the body, what they say of fields within fields. A field
 * that path or query have told is not taken from the body.
 */
export function requestMessage({ route, bindings }: MatchedCall, body: Buffer, types: Descriptors, parse: ParseOptions): Buffer {
  const { input } = route
  const own = bindings.filter(({ field }) => !field.includes('.'))
  const parts = own.map(({ field, value }) => bindingBytes([field], value, input, types, parse))
  if (route.body !== '' && body.length > 0) parts.push(bodyBytes(parseJson(body), route, own, types, parse))
  for (const { field, value } of bindings)
    if (field.includes('.')) parts.push(bindingBytes(field.split('.'), value, input, types, parse))
  return Buffer.concat(parts)
}

function bodyBytes(
  json: unknown,
  { body, input }: Route,
  bound: readonly Binding[],
  types: Descriptors,
  parse: ParseOptions,
): Buffer {
  if (body !== '*') {
    const field = input.byName(body)
    if (field === undefined) throw new TranscodingError(`${input.name} has no field ${body}`)
    return fromJson({ [field.name]: json }, input, types, parse)
  }
  if (typeof json !== 'object' || json === null || bound.length === 0) return fromJson(json, input, types, parse)
  const told = new Set(bound.map(({ field }) => input.byName(field)).filter((field) => field?.repeated === false))
  return fromJson(Object.fromEntries(Object.entries(json).filter(([name]) => !told.has(input.byName(name)))), input, types, parse)
}

/** Repeated messages of one field on the wire are merged by whoever reads them. */
function bindingBytes(
  [name = '', ...rest]: readonly string[],
  value: string,
  type: MessageDescriptor,
  types: Descriptors,
  parse: ParseOptions,
): Buffer {
  const field = type.byName(name)
  if (field === undefined) throw new TranscodingError(`Could not find field "${name}" in the type "${type.name}".`)
  if (rest.length === 0) return fieldBytes(value, field, types, parse)
  const inner = types.message(field.typeName)
  if (inner === undefined) throw new TranscodingError(`${field.name} of ${type.name} is no message`)
  return lengthDelimited(field.number, bindingBytes(rest, value, inner, types, parse))
}

export function parseJson(body: Buffer): unknown {
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new TranscodingError(`the body is no JSON: ${(error as Error).message}`)
  }
  if (!isShallow(json)) throw new TranscodingError('the body is JSON nested too deep')
  return json
}
