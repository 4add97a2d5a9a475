import { describe, expect, test } from 'vitest'
import { byRank, distribute, failoverPriorities, labelRank } from './locality.js'

const here = { region: 'alps', zone: 'a1', subzone: 's1' }
const group = (
  region: string,
  zone: string,
  sub_zone: string,
  weight = 1,
): { locality: object; load_balancing_weight: number; lb_endpoints: object[] } => ({
  locality: { region, zone, sub_zone },
  load_balancing_weight: weight,
  lb_endpoints: [{}],
})

test('the nearer comes first, the region of failover before the others', () => {
  const groups = [
    group('alps', 'a1', 's1'),
    group('alps', 'a1', 's2'),
    group('alps', 'a2', ''),
    group('bay', 'b1', ''),
    group('cape', 'c1', ''),
  ]
  expect(failoverPriorities(groups, here, [{ from: 'alps', to: 'cape' }]).map((g) => g.priority ?? 0)).toEqual([0, 1, 2, 4, 3])
})

test('priorities have no gaps', () => {
  expect(byRank([group('a', '', ''), group('b', '', ''), group('c', '', '')], [7, 2, 7]).map((g) => g.priority ?? 0)).toEqual([
    1, 0, 1,
  ])
})

describe('labels of failoverPriority', () => {
  const proxy = { version: 'v1', region: 'alps' }
  test.each([
    [{ version: 'v1', region: 'alps' }, 0],
    [{ version: 'v1', region: 'bay' }, 1],
    [{ version: 'v2', region: 'alps' }, 2],
  ])('%j is %i away', (endpoint, rank) => {
    expect(labelRank(['version', 'region'], proxy, endpoint)).toBe(rank)
  })
  test('a value may be given', () => {
    expect(labelRank(['version=v2'], proxy, { version: 'v2' })).toBe(0)
  })
})

test('distribute shares by weight and leaves unnamed localities without endpoints', () => {
  const groups = [group('alps', 'a1', 's1', 2), group('alps', 'a2', '', 1), group('bay', 'b1', '', 1)]
  const out = distribute(groups, here, [{ from: 'alps/*', to: { 'alps/*': 80, 'cape/*': 20 } }])
  expect(out.map((g) => [g.load_balancing_weight, g.lb_endpoints?.length])).toEqual([
    [54, 1],
    [27, 1],
    [1, undefined],
  ])
})
