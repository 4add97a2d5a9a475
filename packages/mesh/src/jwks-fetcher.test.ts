import { createFakeClock, createMemoryLogger, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, test } from 'vitest'
import { createJwksFetcher, type JwksFetcher } from './jwks-fetcher.js'

const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

function setUp(answers: Record<string, string | undefined>): {
  fetcher: JwksFetcher
  asked: string[]
  changes: () => number
  clock: ReturnType<typeof createFakeClock>
  answers: Record<string, string | undefined>
} {
  const [clock, asked] = [createFakeClock(), [] as string[]]
  let changes = 0
  const fetcher = createJwksFetcher({
    get(url) {
      asked.push(url)
      const answer = answers[url]
      return answer === undefined ? Promise.reject(new Error('down')) : Promise.resolve(answer)
    },
    ...{ clock, random: createSeededRandom(1), logger: createMemoryLogger() },
    changed: () => void changes++,
  })
  return { fetcher, asked, changes: () => changes, clock, answers }
}

describe('keys of a jwksUri', () => {
  const source = { jwksUri: 'https://keys/jwks', issuer: 'https://iss' }

  test('are fetched once for all who ask, told when they come, and asked for again after 20 minutes', async () => {
    const { fetcher, asked, changes, clock, answers } = setUp({ 'https://keys/jwks': '{"keys":[]}' })
    expect([fetcher.jwks(source), fetcher.jwks(source)]).toEqual([undefined, undefined])
    await settled()
    expect([fetcher.jwks(source), asked.length, changes()]).toEqual(['{"keys":[]}', 1, 1])
    clock.advance(20 * 60_000)
    await settled()
    expect([asked.length, changes()]).toEqual([2, 1])
    answers['https://keys/jwks'] = '{"keys":[1]}'
    clock.advance(20 * 60_000)
    await settled()
    expect([fetcher.jwks(source), changes()]).toEqual(['{"keys":[1]}', 2])
    fetcher.close()
    clock.advance(20 * 60_000)
    expect(asked).toHaveLength(3)
  })

  test('what cannot be fetched, or is no JWKS, is tried again; keys once known stay', async () => {
    const { fetcher, asked, clock, answers } = setUp({ 'https://keys/jwks': 'no json' })
    fetcher.jwks(source)
    await settled()
    clock.advance(1000)
    await settled()
    expect([fetcher.jwks(source), asked.length]).toEqual([undefined, 2])
    answers['https://keys/jwks'] = '{"keys":[]}'
    clock.advance(60_000)
    await settled()
    answers['https://keys/jwks'] = undefined
    clock.advance(20 * 60_000)
    await settled()
    expect(fetcher.jwks(source)).toBe('{"keys":[]}')
    fetcher.close()
  })
})

test('without a jwksUri the issuer is asked where its keys are', async () => {
  const { fetcher, asked } = setUp({
    'https://iss/.well-known/openid-configuration': '{"jwks_uri":"https://iss/keys"}',
    'https://iss/keys': '{"keys":[]}',
  })
  fetcher.jwks({ jwksUri: '', issuer: 'https://iss/' })
  await settled()
  expect(asked).toEqual(['https://iss/.well-known/openid-configuration', 'https://iss/keys'])
  fetcher.close()
})
