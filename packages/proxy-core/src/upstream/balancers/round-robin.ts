import { type ChooserPolicy, sameWeights } from './chooser.js'
import { createEdf } from './edf.js'

/** ROUND_ROBIN: one after the other from a random start; by deadlines where weights differ. */
export const roundRobin: ChooserPolicy = {
  name: 'ROUND_ROBIN',
  byHash: false,
  create(hosts, { random }) {
    if (!sameWeights(hosts)) {
      const edf = createEdf(hosts, ({ weight }) => weight, random)
      return { choose: () => edf.pick()?.endpoint }
    }
    let next = Math.floor(random.next() * hosts.length)
    return {
      choose() {
        if (next >= hosts.length) next = 0
        return hosts[next++]?.endpoint
      },
    }
  },
}
