import { expect, it } from 'vitest'
import { parseCpuLine, parseProcessLine } from './proc.js'

it('reads the machine’s line in seconds', () => {
  expect(parseCpuLine('cpu  380882 9221 94428 739119 916 0 756 1469 0 0\ncpu0 1 2 3\n').slice(0, 3)).toEqual([
    3808.82, 92.21, 944.28,
  ])
})

it('reads a process whose name has brackets and blanks', () => {
  const line = '42 (a) b (c) S 1 42 42 0 -1 4194304 99 0 0 0 150 50 700 300 20 0 1 0 616219 3133440'
  expect(parseProcessLine(line)).toEqual({ own: 2, endedChildren: 10 })
})
