import { fields } from '../../decode/fields.js'
import { type Decode, flag, int32, listOf, oneOf, text, uint32 } from '../../decode/value.js'
import { texts } from '../common.js'
import { type BackendReference, backendReference, type ObjectReferenceTo, objectReferenceTo } from './references.js'

/** One filter of an HTTPRoute or GRPCRoute: the field that `type` names is the one that counts. */
export interface RouteFilter {
  /** RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, RequestRedirect, URLRewrite, CORS, ExternalAuth or ExtensionRef. */
  type: string
  requestHeaderModifier?: HeaderFilter
  responseHeaderModifier?: HeaderFilter
  requestMirror?: MirrorFilter
  requestRedirect?: RedirectFilter
  urlRewrite?: RewriteFilter
  cors?: CorsFilter
  extensionRef?: ObjectReferenceTo
}

export interface HeaderFilter {
  set?: readonly NamedValue[]
  add?: readonly NamedValue[]
  remove?: readonly string[]
}

export interface NamedValue {
  name: string
  value: string
}

export interface MirrorFilter {
  backendRef: BackendReference
  percent?: number
  /** Denominator: default 100. */
  fraction?: { numerator: number; denominator?: number }
}

export interface PathModifier {
  type: 'ReplaceFullPath' | 'ReplacePrefixMatch'
  replaceFullPath?: string
  replacePrefixMatch?: string
}

export interface RedirectFilter {
  scheme?: string
  hostname?: string
  path?: PathModifier
  port?: number
  /** Default 302. */
  statusCode?: number
}

export interface RewriteFilter {
  hostname?: string
  path?: PathModifier
}

export interface CorsFilter {
  allowOrigins?: readonly string[]
  allowCredentials?: boolean
  allowMethods?: readonly string[]
  allowHeaders?: readonly string[]
  exposeHeaders?: readonly string[]
  /** Seconds; the CRD's default is 5. */
  maxAge?: number
}

const namedValues = listOf(fields<NamedValue>({ name: text, value: text }, { required: ['name', 'value'], open: true }))
const headers = fields<HeaderFilter>({ set: namedValues, add: namedValues, remove: texts }, { open: true })

const pathModifier = fields<PathModifier>(
  { type: oneOf('ReplaceFullPath', 'ReplacePrefixMatch'), replaceFullPath: text, replacePrefixMatch: text },
  { required: ['type'], open: true },
)

export const routeFilter: Decode<RouteFilter> = fields<RouteFilter>(
  {
    type: text,
    requestHeaderModifier: headers,
    responseHeaderModifier: headers,
    requestMirror: fields<MirrorFilter>(
      {
        backendRef: backendReference,
        percent: int32,
        fraction: fields<NonNullable<MirrorFilter['fraction']>>(
          { numerator: int32, denominator: int32 },
          { required: ['numerator'], open: true },
        ),
      },
      { required: ['backendRef'], open: true },
    ),
    requestRedirect: fields<RedirectFilter>(
      { scheme: text, hostname: text, path: pathModifier, port: uint32, statusCode: uint32 },
      { open: true },
    ),
    urlRewrite: fields<RewriteFilter>({ hostname: text, path: pathModifier }, { open: true }),
    cors: fields<CorsFilter>(
      {
        allowOrigins: texts,
        allowCredentials: flag,
        allowMethods: texts,
        allowHeaders: texts,
        exposeHeaders: texts,
        maxAge: int32,
      },
      { open: true },
    ),
    extensionRef: objectReferenceTo,
  },
  { required: ['type'], open: true },
)
