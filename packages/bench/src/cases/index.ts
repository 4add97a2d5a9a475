import type { BenchCase } from '../bench-case.js'
import { http1Proxy } from './http1-proxy/index.js'

/** Every case; peers are looked up when this is called. */
export function benchCases(): readonly BenchCase[] {
  return [http1Proxy()]
}
