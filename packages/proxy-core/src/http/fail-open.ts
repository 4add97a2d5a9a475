import type { Logger } from '@heddle/runtime'
import type { HttpFilter } from './filter.js'

/** A filter whose failures are told and passed over: the request goes on, the answer stays as it was. */
export function failOpen(filter: HttpFilter, logger: Logger): HttpFilter {
  const passOver = (error: unknown): undefined => {
    logger.warn({ error }, 'an HTTP filter failed; its configuration says to go on')
    return undefined
  }
  const { onRequest, onResponse, onComplete } = filter
  return {
    ...(onRequest && {
      onRequest(request, stream) {
        try {
          const outcome = onRequest.call(filter, request, stream)
          return outcome instanceof Promise ? outcome.catch(passOver) : outcome
        } catch (error) {
          return passOver(error)
        }
      },
    }),
    ...(onResponse && {
      onResponse(response, stream) {
        try {
          const outcome = onResponse.call(filter, response, stream)
          return outcome instanceof Promise ? outcome.catch(passOver) : outcome
        } catch (error) {
          return passOver(error)
        }
      },
    }),
    ...(onComplete && { onComplete: (info) => onComplete.call(filter, info) }),
  }
}
