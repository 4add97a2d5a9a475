import { afterAll, beforeAll, expect } from 'vitest'

// A setup file of every test file: what it has opened must be closed when it ends. A process that could not end is a leak for users too.

/** What ends by itself in a turn or two: writes, look-ups, the runner's own. */
const PASSING = new Set([
  'Immediate',
  'FSReqCallback',
  'FSReqPromise',
  'CloseReq',
  'GetAddrInfoReqWrap',
  'TTYWrap',
  'MessagePort',
])
const PATIENCE_MS = 5_000

/** Files that others keep from closing all: the end of a path, what is left, why. */
const EXCEPTIONS: readonly { readonly file: string; readonly type: string; readonly why: string }[] = [
  { file: 'interop/test/xds-grpc-js.test.ts', type: 'Timeout', why: 'grpc-js-xds has no end: its channels keep a timer' },
]

function held(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) if (!PASSING.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}

/** The runner's own pipes. Its timers come and go: a file must end without any. */
let before = new Map<string, number>()
beforeAll(() => {
  before = held()
  before.delete('Timeout')
  const path = expect.getState().testPath ?? ''
  for (const { file, type } of EXCEPTIONS) if (path.endsWith(file)) before.set(type, Number.POSITIVE_INFINITY)
})

afterAll(async () => {
  const left = (): string[] =>
    [...held()].flatMap(([type, count]) =>
      count > (before.get(type) ?? 0) ? [`${count - (before.get(type) ?? 0)} ${type}`] : [],
    )
  const end = Date.now() + PATIENCE_MS
  while (left().length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20).unref())
  if (left().length > 0) throw new Error(`this file leaves open: ${left().join(', ')}`)
})
