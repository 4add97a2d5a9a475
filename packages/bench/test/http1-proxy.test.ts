import { describe, expect, it } from 'vitest'
import { check } from '../src/cases/http1-proxy/index.js'
import { envoy, haproxy, heddle, nginx, nodeHttp } from '../src/cases/http1-proxy/proxies.js'
import { findEnvoy, findHaproxy, findNginx, missingProgram } from '../src/peers/find.js'
import { inFolder } from '../src/run-case.js'
import { MINIMAL } from './minimal.js'

const proxies = [
  { name: 'heddle', proxy: heddle, here: true },
  { name: 'node:http', proxy: nodeHttp, here: true },
  { name: 'nginx', proxy: nginx, here: findNginx() !== undefined },
  { name: 'haproxy', proxy: haproxy, here: findHaproxy() !== undefined },
  { name: 'envoy', proxy: envoy, here: findEnvoy() !== undefined },
]

describe('a proxy does the work before it is timed', () => {
  it.for(proxies)('$name: large bodies, chunks, keep-alive, pipelining, headers', async ({ name, proxy, here }, { skip }) => {
    if (!here) skip(missingProgram(name))
    await expect(inFolder(MINIMAL, (context) => check(proxy, context))).resolves.toBeUndefined()
  })
})
