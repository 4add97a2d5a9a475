import { ok, type Result } from '@heddle/runtime'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from './filter.js'
import type { HttpRequest, HttpResponse, LocalReply } from './message.js'

/** Lets the request go on; resolves with the answer, whoever gives it. Once. Rejects when there will be none. */
export type Next = () => Promise<HttpResponse>

export interface MiddlewareContext<C> {
  readonly config: C
  readonly stream: HttpStream
  readonly deps: FilterDeps
}

export interface MiddlewareOptions<C> {
  /** What `typed_config` names: `"@type": "type.googleapis.com/xds.type.v3.TypedStruct"` with `type_url: "type.googleapis.com/<typeName>"`. */
  readonly typeName: string
  /**
   * Around one request. What is done before `next()` is done to the request, what is done after it to the response; without
   * `next()` the request ends here, with the reply that is returned. Throwing refuses the request with 500 (and an answer that
   * was there already is cut off), or is passed over, as `failure_mode_allow` of the configuration says.
   */
  run(request: HttpRequest, next: Next, context: MiddlewareContext<C>): Promise<HttpResponse | LocalReply>
  /** The value of the TypedStruct, without `failure_mode_allow`; by default it is taken as it is. */
  decode?(config: Readonly<Record<string, unknown>>, path: string): Result<C>
}

interface Decoded<C> {
  readonly config: C
  readonly failOpen: boolean
}

/** A filter of your own as one function, in the style of web frameworks. See docs/filters.md. */
export function middleware<C = Readonly<Record<string, unknown>>>(options: MiddlewareOptions<C>): HttpFilterFactory<Decoded<C>> {
  return {
    typeNames: [options.typeName],
    decode(value, path) {
      const { failure_mode_allow: failOpen = false, '@type': _type, ...own } = value
      const decoded = options.decode?.(own, path) ?? ok(own as C)
      return decoded.ok ? ok({ config: decoded.value, failOpen: failOpen === true }, decoded.diagnostics) : decoded
    },
    failOpen: (config) => config.failOpen,
    create:
      ({ config }, deps) =>
      (stream) =>
        createFilter(options, { config, stream, deps }),
  }
}

function createFilter<C>({ run }: MiddlewareOptions<C>, context: MiddlewareContext<C>): HttpFilter {
  let running: Promise<HttpResponse | LocalReply> | undefined
  let answer: ((response: HttpResponse) => void) | undefined
  let noAnswer: ((error: Error) => void) | undefined
  return {
    onRequest: (request) =>
      new Promise((resolve, reject) => {
        const next: Next = () => {
          if (answer !== undefined) return Promise.reject(new Error('next() was called before'))
          return new Promise<HttpResponse>((gives, fails) => {
            answer = gives
            noAnswer = fails
            resolve()
          })
        }
        running = run(request, next, context)
        running.then(
          (result) => {
            // After next() its result is the response hook's.
            if (answer !== undefined) return
            if ('details' in result) resolve(result)
            else reject(new Error('a middleware returns what next() gave it, or a reply with details'))
          },
          (error: unknown) => reject(error),
        )
      }),
    onResponse(response) {
      if (answer === undefined || running === undefined) return undefined
      answer(response)
      return running.then((result) => replace(response, result))
    },
    onComplete() {
      noAnswer?.(new Error('the request is over without an answer'))
      running?.catch(() => {})
    },
  }
}

/** What the function made of the answer takes its place. */
function replace(response: HttpResponse, result: HttpResponse | LocalReply): void {
  if (result === response) return
  if ('details' in result) throw new Error('after next() a middleware returns a response, not a reply')
  if (result.body !== response.body) response.body.discard()
  response.status = result.status
  response.headers = result.headers
  response.body = result.body
}
