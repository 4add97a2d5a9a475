import type { BenchCase } from '../../bench-case.js'
import { bytesCase } from './bytes.js'
import { endpointCases } from './endpoints.js'
import { stuckReaders } from './stuck-readers.js'

export function xdsServerCases(): readonly BenchCase[] {
  return [bytesCase(), ...endpointCases(), stuckReaders()]
}
