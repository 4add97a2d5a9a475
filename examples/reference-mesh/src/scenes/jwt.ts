import { createAccounts } from '../accounts.js'
import type { Scene } from '../scene.js'

const HOUR = 3600

/** RequestAuthentication says whose tokens are good, AuthorizationPolicy that one is needed. */
export const jwt: Scene = {
  title: 'JWT: a good token, an expired one, a forged one, none',
  async run(mesh, report) {
    const accounts = createAccounts('https://accounts.example')
    const impostor = createAccounts('https://accounts.example')
    await mesh.apply('jwt.yaml', 'request-authentication.yaml', { ACCOUNTS_JWKS: accounts.jwks })
    const calls = [
      { what: 'a good token', token: accounts.token('ann', HOUR), wants: 200 },
      { what: 'an expired token', token: accounts.token('ann', -HOUR), wants: 401 },
      { what: 'a forged token', token: impostor.token('ann', HOUR), wants: 401 },
      { what: 'no token', token: undefined, wants: 403 },
    ]
    for (const { what, token, wants } of calls) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const { last } = await mesh.call('apps-client', { host: 'apps-svc-v1', path: '/headers', headers })
      report.check(last.status === wants, `${what}: ${last.status}${wants === 200 ? '' : ` ${JSON.stringify(last.body)}`}`)
      if (wants === 200) {
        const seen = JSON.parse(last.body || '{}') as Record<string, string>
        report.check(seen['x-user'] === 'ann' && seen['authorization'] === undefined, `the app is told x-user: ${seen['x-user']}`)
      }
    }
    await mesh.remove('jwt.yaml')
  },
}
