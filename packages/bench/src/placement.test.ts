import { expect, it } from 'vitest'
import { parseCoreList, placed } from './placement.js'

it('reads the kernel’s list of cores', () => {
  expect(parseCoreList('0-2,5')).toEqual([0, 1, 2, 5])
  expect(parseCoreList('')).toEqual([])
})

it('puts the subject and the load on different cores, and says nothing where none is pinned', () => {
  const pinned = { subjectCore: 0, loadCore: 1, problem: undefined }
  expect(placed(pinned, 'subject', ['a', 'b'])).toEqual(['taskset', '-c', '0', 'a', 'b'])
  expect(placed(pinned, 'load', ['a'])).toEqual(['taskset', '-c', '1', 'a'])
  expect(placed({ subjectCore: undefined, loadCore: undefined, problem: 'x' }, 'load', ['a'])).toEqual(['a'])
})
