import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A kind as the fake serves it. */
export interface FakeResource {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

export interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; resourceVersion?: string }
  [field: string]: unknown
}

export interface FakeApiServer {
  readonly url: string
  readonly requests: {
    readonly method: string
    readonly path: string
    readonly authorization: string | undefined
    readonly body: string
  }[]
  /** Serves another kind from now on, as if its CustomResourceDefinition were installed. */
  install(resource: FakeResource): void
  set(plural: string, object: FakeObject): void
  remove(plural: string, namespace: string, name: string): void
  object(plural: string, namespace: string, name: string): FakeObject | undefined
  /** Answers 503 and ends all streams; with false it answers again. */
  setBroken(broken: boolean): void
  /** Forgets what happened before: watches from there get 410 Gone. */
  compact(): void
  /** Ends all streams, as servers do every few minutes. */
  endStreams(): void
  close(): Promise<void>
}

/** As much of Kubernetes' API as list, watch, discovery, leases and status need: versions, pages, bookmarks, 410 Gone, conflicts, merge patches. */
export async function createFakeApiServer(resources: readonly FakeResource[]): Promise<FakeApiServer> {
  const served = [...resources]
  const objects = new Map<string, Map<string, FakeObject>>()
  const history: { version: number; plural: string; line: string }[] = []
  const streams = new Set<{ plural: string; response: ServerResponse }>()
  const requests: FakeApiServer['requests'] = []
  let version = 1
  let oldest = 0
  let broken = false

  const ofPlural = (plural: string): Map<string, FakeObject> => {
    const known = objects.get(plural) ?? new Map<string, FakeObject>()
    objects.set(plural, known)
    return known
  }
  const happened = (type: string, plural: string, object: FakeObject): void => {
    const line = `${JSON.stringify({ type, object })}\n`
    history.push({ version, plural, line })
    for (const stream of streams) if (stream.plural === plural) stream.response.write(line)
  }
  const keyOf = ({ metadata }: FakeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`
  const put = (plural: string, object: FakeObject): void => {
    const type = ofPlural(plural).has(keyOf(object)) ? 'MODIFIED' : 'ADDED'
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } }
    ofPlural(plural).set(keyOf(object), stored)
    const { apiVersion, kind } = served.find((one) => one.plural === plural)!
    happened(type, plural, { apiVersion, kind, ...stored })
  }
  const endStreams = (): void => {
    for (const { response } of streams) response.end()
    streams.clear()
  }

  const reply = (response: ServerResponse, body: unknown, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const baseOf = ({ apiVersion }: FakeResource): string =>
    apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const discovery = (path: string): unknown => {
    if (path === '/apis') {
      const versions = [...new Set(served.map(({ apiVersion }) => apiVersion).filter((one) => one.includes('/')))]
      const groups = [...new Set(versions.map((one) => one.split('/')[0]))]
      return {
        groups: groups.map((name) => ({
          name,
          versions: versions.filter((one) => one.startsWith(`${name}/`)).map((groupVersion) => ({ groupVersion })),
        })),
      }
    }
    const own = served.filter((one) => baseOf(one) === path)
    if (own.length === 0 && path !== '/api/v1') return undefined
    return {
      resources: own.flatMap(({ plural, kind, namespaced }) => [
        { name: plural, kind, namespaced, verbs: ['get', 'list', 'watch'] },
        { name: `${plural}/status`, kind, namespaced, verbs: ['get', 'patch'] },
      ]),
    }
  }
  const list = (plural: string, query: URLSearchParams, response: ServerResponse): void => {
    const all = [...ofPlural(plural).values()]
    const from = Number(query.get('continue') ?? 0)
    const to = from + Number(query.get('limit') ?? all.length)
    reply(response, {
      metadata: { resourceVersion: String(version), ...(to < all.length ? { continue: String(to) } : {}) },
      items: all.slice(from, to),
    })
  }
  const watch = (plural: string, query: URLSearchParams, response: ServerResponse): void => {
    const from = Number(query.get('resourceVersion'))
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (from < oldest) {
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', metadata: {}, code: 410, message: 'too old' } })}\n`,
      )
      return
    }
    for (const event of history) if (event.plural === plural && event.version > from) response.write(event.line)
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } })}\n`)
    const stream = { plural, response }
    streams.add(stream)
    response.on('close', () => streams.delete(stream))
  }
  const patchStatus = (path: string, body: string, response: ServerResponse): boolean => {
    const match = /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)\/status$/.exec(path)
    if (match === null) return false
    const [, namespace = '', plural = '', name = ''] = match
    const object = ofPlural(plural).get(`${namespace}/${name}`)
    if (object === undefined) reply(response, { kind: 'Status', message: 'not found' }, 404)
    else {
      put(plural, { ...object, ...(JSON.parse(body) as object) })
      reply(response, object)
    }
    return true
  }
  /** Get, create and replace of one object; a replacement of another version than the present is a conflict. */
  const single = (method: string, path: string, body: string, response: ServerResponse): boolean => {
    const match = /\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(path)
    if (match === null || (match[3] === undefined) !== (method === 'POST')) return false
    const [, namespace = '', plural = ''] = match
    const sent = body === '' ? undefined : (JSON.parse(body) as FakeObject)
    const name = match[3] ?? sent?.metadata.name ?? ''
    const known = ofPlural(plural).get(`${namespace}/${name}`)
    if (method === 'POST' ? known !== undefined : known === undefined)
      reply(response, { kind: 'Status', message: 'it is not so' }, method === 'POST' ? 409 : 404)
    else if (method === 'PUT' && sent?.metadata.resourceVersion !== known?.metadata.resourceVersion)
      reply(response, { kind: 'Status', message: 'the object has been modified' }, 409)
    else {
      if (sent !== undefined) put(plural, sent)
      reply(response, ofPlural(plural).get(`${namespace}/${name}`))
    }
    return true
  }
  const answer = (request: IncomingMessage, body: string, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://kubernetes')
    const { method = '' } = request
    requests.push({ method, path: url.pathname + url.search, authorization: request.headers.authorization, body })
    if (broken) reply(response, { kind: 'Status', message: 'down for a moment' }, 503)
    else if (method === 'PATCH' && patchStatus(url.pathname, body, response)) return
    else if (single(method, url.pathname, body, response)) return
    else {
      const resource = served.find((one) => `${baseOf(one)}/${one.plural}` === url.pathname)
      if (resource !== undefined && url.searchParams.has('watch')) watch(resource.plural, url.searchParams, response)
      else if (resource !== undefined) list(resource.plural, url.searchParams, response)
      else
        reply(
          response,
          discovery(url.pathname) ?? { kind: 'Status', message: 'no such path' },
          discovery(url.pathname) === undefined ? 404 : 200,
        )
    }
  }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => answer(request, body, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    install: (resource) => void served.push(resource),
    set: put,
    remove(plural, namespace, name) {
      const object = ofPlural(plural).get(`${namespace}/${name}`)
      if (object === undefined) return
      ofPlural(plural).delete(`${namespace}/${name}`)
      version++
      happened('DELETED', plural, { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } })
    },
    object: (plural, namespace, name) => ofPlural(plural).get(`${namespace}/${name}`),
    setBroken(value) {
      broken = value
      if (value) endStreams()
    },
    compact() {
      history.length = 0
      oldest = ++version
      endStreams()
    },
    endStreams,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
