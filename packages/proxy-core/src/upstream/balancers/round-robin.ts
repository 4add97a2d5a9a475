import { type ChooserPolicy, sameWeights } from './chooser.js'
import { createEdf } from './edf.js'
import { type SlowStart, weightNow } from './slow-start.js'

/** ROUND_ROBIN: one after the other from a random start; by deadlines where weights differ, or change with slow start. */
export function createRoundRobin(slowStart?: SlowStart): ChooserPolicy {
  return {
    name: 'ROUND_ROBIN',
    byHash: false,
    create(hosts, deps) {
      const { random } = deps
      if (slowStart !== undefined || !sameWeights(hosts)) {
        const edf = createEdf(hosts, (host) => weightNow(host, slowStart, deps), random)
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
}

export const roundRobin: ChooserPolicy = createRoundRobin()
