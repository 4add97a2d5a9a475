import { expect, it } from 'vitest'
import type { CompiledListener } from './compiled.js'
import { indexListeners, listenerAt } from './listener-choice.js'

const listener = (name: string, address: string, more: readonly string[] = []): CompiledListener =>
  ({
    name,
    address: { address, port: 80 },
    additionalAddresses: more.map((each) => ({ address: each, port: 80 })),
  }) as unknown as CompiledListener

const index = indexListeners(
  [listener('any', '0.0.0.0'), listener('one', '10.0.0.1', ['10.0.0.2']), listener('any6', '::'), listener('late', '10.0.0.1')],
  (each) => each,
)

it.each([
  ['10.0.0.1', 80, 'one'],
  ['10.0.0.2', 80, 'one'],
  ['10.0.0.3', 80, 'any'],
  ['0.0.0.0', 80, 'any'],
  ['fd00::1', 80, 'any6'],
  ['10.0.0.1', 81, undefined],
])('%s:%i belongs to %s: the exact address, then any (line 98)', (address, port, name) => {
  expect(listenerAt(index, { address, port })?.name).toBe(name)
})
