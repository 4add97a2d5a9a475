import type { HttpStatus, StatusCode } from '@heddle/xds-types/envoy/type/v3'

// envoy.type.v3.StatusCode: proto JSON says a status by its name.
const NAMES: Readonly<Record<number, readonly StatusCode[]>> = {
  100: ['Continue'],
  200: [
    'OK',
    'Created',
    'Accepted',
    'NonAuthoritativeInformation',
    'NoContent',
    'ResetContent',
    'PartialContent',
    'MultiStatus',
    'AlreadyReported',
  ],
  226: ['IMUsed'],
  300: ['MultipleChoices', 'MovedPermanently', 'Found', 'SeeOther', 'NotModified', 'UseProxy'],
  307: ['TemporaryRedirect', 'PermanentRedirect'],
  400: [
    'BadRequest',
    'Unauthorized',
    'PaymentRequired',
    'Forbidden',
    'NotFound',
    'MethodNotAllowed',
    'NotAcceptable',
    'ProxyAuthenticationRequired',
    'RequestTimeout',
    'Conflict',
    'Gone',
    'LengthRequired',
    'PreconditionFailed',
    'PayloadTooLarge',
    'URITooLong',
    'UnsupportedMediaType',
    'RangeNotSatisfiable',
    'ExpectationFailed',
  ],
  421: ['MisdirectedRequest', 'UnprocessableEntity', 'Locked', 'FailedDependency'],
  426: ['UpgradeRequired'],
  428: ['PreconditionRequired', 'TooManyRequests'],
  431: ['RequestHeaderFieldsTooLarge'],
  500: [
    'InternalServerError',
    'NotImplemented',
    'BadGateway',
    'ServiceUnavailable',
    'GatewayTimeout',
    'HTTPVersionNotSupported',
    'VariantAlsoNegotiates',
    'InsufficientStorage',
    'LoopDetected',
  ],
  510: ['NotExtended', 'NetworkAuthenticationRequired'],
}

const BY_CODE: ReadonlyMap<string, StatusCode> = new Map(
  Object.entries(NAMES).flatMap(([first, names]) => names.map((name, i) => [String(Number(first) + i), name] as const)),
)

/** `503` -> ServiceUnavailable; undefined for a code that Envoy has no name for. */
export function httpStatus(code: string): HttpStatus | undefined {
  const name = BY_CODE.get(code)
  return name === undefined ? undefined : { code: name }
}
