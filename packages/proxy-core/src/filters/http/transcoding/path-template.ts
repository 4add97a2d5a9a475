/** A value that a path gave to a field: `shelf.id`. */
export interface Binding {
  readonly field: string
  readonly value: string
}

export interface PathTemplate {
  /** Undefined: it is another path. `path` without its query. */
  match(path: string): readonly Binding[] | undefined
}

interface Variable {
  readonly field: string
  /** Places of its segments: from the first to before the last. */
  readonly from: number
  readonly to: number
  readonly multiple: boolean
}

const RESERVED = /%(?:21|23|24|26|27|28|29|2A|2B|2C|2F|3A|3B|3D|3F|40|5B|5D)/i

/**
 * Path templates of google.api.http: `/v1/{name=shelves/*}/books/{id}:verb`, `*` for one segment, `**` for the rest. Undefined: it is none.
 */
export function compilePathTemplate(template: string): PathTemplate | undefined {
  const parsed = parse(template)
  if (parsed === undefined) return undefined
  const { segments, variables, verb } = parsed
  const deep = segments.indexOf('**')
  return {
    match(path) {
      const parts = splitPath(path, verb)
      if (parts === undefined) return undefined
      const extra = parts.length - segments.length
      if (deep < 0 ? extra !== 0 : extra < -1) return undefined
      for (const [i, segment] of segments.entries()) {
        if (segment === '**') continue
        const part = parts[deep >= 0 && i > deep ? i + extra : i]
        if (part === undefined || part === '' || (segment !== '*' && segment !== part)) return undefined
      }
      const shift = (place: number): number => (deep >= 0 && place > deep ? place + extra : place)
      return variables.map(({ field, from, to, multiple }) => ({
        field,
        value: parts
          .slice(shift(from), shift(to))
          .map((part) => unescapeSegment(part, multiple))
          .join('/'),
      }))
    },
  }
}

function splitPath(path: string, verb: string): readonly string[] | undefined {
  if (!path.startsWith('/')) return undefined
  const bare = verb !== '' && path.endsWith(`:${verb}`) ? path.slice(0, -verb.length - 1) : path
  return verb !== '' && bare === path ? undefined : bare.slice(1).split('/')
}

function parse(template: string): { segments: string[]; variables: Variable[]; verb: string } | undefined {
  if (!template.startsWith('/')) return undefined
  const segments: string[] = []
  const variables: Variable[] = []
  const colon = template.lastIndexOf(':')
  const verb = colon > Math.max(template.lastIndexOf('/'), template.lastIndexOf('}')) ? template.slice(colon + 1) : ''
  const body = verb === '' ? template : template.slice(0, colon)
  const pieces = body.slice(1).match(/\{[^{}]*\}|[^/{}]+/g) ?? []
  if (`/${pieces.join('/')}` !== body) return undefined
  for (const piece of pieces) {
    if (!piece.startsWith('{')) {
      segments.push(piece)
      continue
    }
    const [field = '', pattern = '*'] = piece.slice(1, -1).split('=')
    if (!/^[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*$/.test(field)) return undefined
    const own = pattern.split('/')
    const from = segments.length
    segments.push(...own)
    const multiple = own.length > 1 || own[0] === '**'
    variables.push({ field, from, to: segments.length, multiple })
  }
  return { segments, variables, verb }
}

/** What spans several segments keeps its escaped reserved characters, so that a `/` in it stays what it was. */
function unescapeSegment(part: string, multiple: boolean): string {
  const decode = (escaped: string): string => {
    try {
      return decodeURIComponent(escaped)
    } catch {
      return escaped
    }
  }
  if (!multiple) return decode(part)
  return part.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    RESERVED.test(run) ? run.replace(/%[0-9a-f]{2}/gi, (one) => (RESERVED.test(one) ? one : decode(one))) : decode(run),
  )
}
