import type { BenchCase } from '../bench-case.js'
import { caCases } from './ca.js'
import { clusterEncode } from './cluster-encode.js'
import { configModelCases } from './config-model.js'
import { httpProxyCases } from './http-proxy/index.js'
import { injectorCases } from './injector.js'
import { mutualTlsCases } from './mutual-tls/index.js'
import { policyCases } from './policy.js'
import { tcpProxyCases } from './tcp-proxy/index.js'
import { translatorCases } from './translator.js'
import { xdsPush } from './xds-push.js'
import { xdsServerCases } from './xds-server/index.js'
import { xdsTypes } from './xds-types/index.js'

/** Every case; peers are looked up when this is called. */
export function benchCases(): readonly BenchCase[] {
  return [
    ...httpProxyCases(),
    ...tcpProxyCases(),
    clusterEncode(),
    xdsPush(),
    ...xdsServerCases(),
    ...caCases(),
    ...mutualTlsCases(),
    ...policyCases(),
    ...xdsTypes(),
    ...configModelCases(),
    ...translatorCases(),
    ...injectorCases(),
  ]
}
