const SCHEME = 'xdstp://'

/**
 * The one spelling of a resource name that caches use. A name that is not of the new form `xdstp://authority/type/id?a=b` is its own; of those that are,
 * context parameters are sorted by key, escapes of characters that need none are undone, and a fragment (directives) is dropped (cncf/xds TP1
 * "Normalization", gRFC A47). Undefined: it has the form, but names another type than `typeUrl`, or is broken: such a resource does not exist.
 */
export function canonicalName(name: string, typeUrl: string): string | undefined {
  if (!name.startsWith(SCHEME)) return name
  const [location = ''] = name.slice(SCHEME.length).split('#')
  const [path = '', query] = location.split(/\?(.*)/s)
  const [authority, type, ...id] = path.split('/')
  if (authority === undefined || type === undefined || id.length === 0) return undefined
  if (type !== typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) return undefined
  const parts = [authority, type, ...id].map(unescaped)
  if (parts.some((part) => part === undefined)) return undefined
  const parameters = query === undefined || query === '' ? '' : sorted(query)
  return parameters === undefined ? undefined : `${SCHEME}${parts.join('/')}${parameters}`
}

/** `?a=1&b=2` by key; undefined when a key stands twice or an escape is broken. */
function sorted(query: string): string | undefined {
  const pairs = new Map<string, string>()
  for (const pair of query.split('&')) {
    const [rawKey = '', ...rest] = pair.split('=')
    const [key, value] = [unescaped(rawKey), unescaped(rest.join('='))]
    if (key === undefined || value === undefined || pairs.has(key)) return undefined
    pairs.set(key, value)
  }
  const keys = [...pairs.keys()].sort()
  return `?${keys.map((key) => `${key}=${pairs.get(key)}`).join('&')}`
}

/** Escapes of unreserved characters (RFC 3986 section 2.3) are undone, others have capital digits. */
function unescaped(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined
  return text.replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped.toUpperCase()
  })
}

/** Whether a name is of the new form. */
export function isUri(name: string): boolean {
  return name.startsWith(SCHEME)
}

/** Whether a name asks for all resources of a folder: `xdstp://authority/type/folder/*`, with the parameters that they have (TP1 "Glob"). */
export function isCollection(name: string): boolean {
  return isUri(name) && pathOf(name).endsWith('/*')
}

/** The collection that a resource is in: `a/b` is in `a/*`, `xdstp://…/a/b?c=d` in `xdstp://…/a/*?c=d`. */
export function collectionOf(name: string): string {
  const path = isUri(name) ? pathOf(name) : name
  return `${path.slice(0, path.lastIndexOf('/') + 1)}*${name.slice(path.length)}`
}

function pathOf(name: string): string {
  const end = name.indexOf('?')
  return end < 0 ? name : name.slice(0, end)
}
