import { ownCodecs } from './auto.js'
import { describeCodecs, describeRefusals } from './codec.test-suite.js'
import { nodeCodecs } from './node/codecs.js'

describeCodecs('our own codecs', ownCodecs, ownCodecs)
describeCodecs("Node's, serving ours", nodeCodecs, ownCodecs)
describeCodecs("ours, serving Node's", ownCodecs, nodeCodecs)
describeCodecs("Node's", nodeCodecs, nodeCodecs)

describeRefusals('our own codec', ownCodecs)
describeRefusals("Node's", nodeCodecs)
