// One request after the other, from a process of its own. usage: latency-client.mjs PORT. Each line on stdin is answered by the milliseconds that each took since the last, as JSON.
import { Agent, get } from 'node:http'
import { createInterface } from 'node:readline'

const [port] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let times = []
let failed = 0

function ask() {
  const start = performance.now()
  const next = (good) => {
    times.push(performance.now() - start)
    if (!good) failed++
    setTimeout(ask, 1)
  }
  get({ host: '127.0.0.1', port, agent }, (response) =>
    response.resume().once('end', () => next(response.statusCode === 200)),
  ).once('error', () => next(false))
}
ask()

createInterface({ input: process.stdin }).on('line', () => {
  console.log(JSON.stringify({ times, failed }))
  times = []
  failed = 0
})
