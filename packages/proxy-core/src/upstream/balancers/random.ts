import type { ChooserPolicy } from './chooser.js'

/** RANDOM: every endpoint alike; Envoy does not look at weights here either. */
export const randomChoice: ChooserPolicy = {
  name: 'RANDOM',
  byHash: false,
  create: (hosts, { random }) => ({ choose: () => hosts[Math.floor(random.next() * hosts.length)]?.endpoint }),
}
