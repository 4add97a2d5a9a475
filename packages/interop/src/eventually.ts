/** Asks again until `done` holds, and gives the last answer; rejects with the last answer or error after `timeoutMs`. */
export async function eventually<T>(ask: () => T | Promise<T>, done: (answer: T) => boolean, timeoutMs = 30_000): Promise<T> {
  const end = Date.now() + timeoutMs
  let last = ''
  while (Date.now() < end) {
    try {
      const answer = await ask()
      if (done(answer)) return answer
      last = JSON.stringify(answer)
    } catch (error) {
      last = String(error)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not within ${timeoutMs} ms; last: ${last}`)
}
