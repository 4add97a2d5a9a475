import { expect, it, vi } from 'vitest'
import type { Peer } from './authenticator.js'
import { createTokenReviewAuthenticator, type TokenReviewStatus } from './token-review.js'

const peer = (...authorization: string[]): Peer => ({ address: 'test', uris: [], authorization })
const good: TokenReviewStatus = {
  authenticated: true,
  audiences: ['istio-ca'],
  user: { username: 'system:serviceaccount:shop:cart', groups: ['system:serviceaccounts', 'system:serviceaccounts:shop'] },
}
const answer = (status: TokenReviewStatus) =>
  createTokenReviewAuthenticator({ trustDomain: 'cluster.local', review: async () => status })(peer('Bearer token'))

it('the API server says whose token it is; the identity is the service account', async () => {
  const review = vi.fn(async () => good)
  const authenticate = createTokenReviewAuthenticator({ trustDomain: 'cluster.local', review })
  expect(await authenticate(peer('Bearer abc'))).toMatchObject({
    ok: true,
    value: { identities: ['spiffe://cluster.local/ns/shop/sa/cart'], method: 'token-review' },
  })
  expect(review).toHaveBeenCalledWith({ token: 'abc', audiences: ['istio-ca'] })
  expect(await authenticate(peer())).toMatchObject({ ok: false })
  expect(await authenticate(peer('Bearer a', 'Bearer b'))).toMatchObject({ ok: false })
  expect(await authenticate(peer(`Bearer ${'a'.repeat(20_000)}`))).toMatchObject({ ok: false })
  expect(review).toHaveBeenCalledTimes(1)
})

it.each<[string, TokenReviewStatus, string]>([
  ['not authenticated', { authenticated: false, error: 'token has expired' }, 'token has expired'],
  ['an empty answer', {}, 'not authenticated'],
  ['another audience', { ...good, audiences: ['api'] }, 'not for istio-ca'],
  ['an API server that knows no audiences', { authenticated: true, user: good.user! }, 'not for istio-ca'],
  ['a person', { ...good, user: { username: 'admin', groups: ['system:masters'] } }, 'no service account'],
  [
    'a name like a service account, of somebody else',
    { ...good, user: { username: 'system:serviceaccount:shop:cart', groups: [] } },
    'no service account',
  ],
  [
    'a name that breaks out of the identity',
    { ...good, user: { username: 'system:serviceaccount:shop:a/../b', groups: ['system:serviceaccounts'] } },
    'no service account',
  ],
])('%s is refused', async (_, status, why) => {
  expect(await answer(status)).toMatchObject({
    ok: false,
    diagnostics: [{ code: 'ca.unauthenticated', message: expect.stringContaining(why) }],
  })
})

it('an API server that cannot be reached proves nobody', async () => {
  const review = () => Promise.reject(new Error('connection refused'))
  expect(await createTokenReviewAuthenticator({ trustDomain: 'td', review })(peer('Bearer a'))).toMatchObject({
    ok: false,
    diagnostics: [{ message: expect.stringContaining('connection refused') }],
  })
})
