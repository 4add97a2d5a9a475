import { expect, test } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import { outlierStatus } from './attempt-record.js'

const GRPC = 'application/grpc'

test.each([
  // content-type of the request, grpc-status of the response, its status, what counts
  [GRPC, undefined, 200, 200],
  [GRPC, undefined, 503, 503],
  [GRPC, '0', 200, 200],
  [GRPC, '1', 200, 499],
  [GRPC, '2', 200, 500],
  [GRPC, '4', 200, 504],
  [GRPC, '7', 200, 403],
  [GRPC, '8', 200, 429],
  [GRPC, '13', 200, 500],
  [GRPC, '14', 200, 503],
  [GRPC, '15', 200, 500],
  [GRPC, '16', 200, 401],
  [GRPC, 'what', 200, 500],
  ['text/plain', '14', 200, 200],
])('of a request of %s an answer with grpc-status %s and %i counts as %i', (type, grpcStatus, status, want) => {
  const headers = createHeaderMap(grpcStatus === undefined ? [] : [['grpc-status', grpcStatus]])
  expect(outlierStatus(createHeaderMap([['content-type', type]]), status, headers)).toBe(want)
})
