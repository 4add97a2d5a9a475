// Load on one HTTP port from a process of its own, no request sent twice: GETs, POSTs whose body must come back, and long streams that must come
// whole. usage: live-load.mjs PORT RATE. On stdin: `calm` (idle connections go, no new ones are opened) and `end`, answered by the report as JSON.
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'

const [port, rate] = process.argv.slice(2)
const STREAM_BYTES = 20_000
const agent = new Agent({ keepAlive: true, maxSockets: 24 })
// Streams last a second: four begin in each, on connections of their own.
const streams = new Agent({ keepAlive: true })
const streamEvery = Math.ceil(Number(rate) / 4)
const report = { sent: 0, ok: 0, posts: 0, streams: 0, resets: [], truncated: [], wrong: [], versions: 0 }
let open = 0
let newest = 0
let sending = true

function kindOf(number) {
  if (number % streamEvery === 0) return { name: 'stream', method: 'GET', path: `/stream?bytes=${STREAM_BYTES}` }
  return number % 3 === 0
    ? { name: 'post', method: 'POST', path: '/echo', body: `body ${number}` }
    : { name: 'get', method: 'GET', path: '/' }
}

function judge(number, { name, body }, { statusCode, headers }, text, known) {
  const version = Number(headers['x-version'] ?? -1)
  const wrong = (what) => report.wrong.push(`${name} ${number}: ${what}`)
  if (statusCode !== 200) return wrong(`${statusCode} ${text.slice(0, 120)}`)
  // What was answered before this request was sent binds it: no answer is of an older configuration.
  if (version < known) return wrong(`version ${version} after ${known}`)
  if (version > newest) {
    newest = version
    report.versions++
  }
  if (name === 'post' && text !== body) return wrong(`another body: ${text.slice(0, 60)}`)
  if (name === 'stream' && text.length !== STREAM_BYTES) return report.truncated.push(`stream ${number}: ${text.length} bytes`)
  if (name === 'post') report.posts++
  if (name === 'stream') report.streams++
  report.ok++
}

function call() {
  const number = ++report.sent
  const kind = kindOf(number)
  const known = newest
  open++
  const outgoing = request(
    { host: '127.0.0.1', port, agent: kind.name === 'stream' ? streams : agent, method: kind.method, path: kind.path },
    (response) => {
      let text = ''
      response.setEncoding('latin1')
      response.on('data', (chunk) => (text += chunk))
      response.once('error', (error) => report.truncated.push(`${kind.name} ${number}: ${error.message}`))
      response.once('end', () => judge(number, kind, response, text, known))
      response.once('close', () => open--)
    },
  )
  outgoing.setTimeout(20_000, () => outgoing.destroy(new Error('no answer')))
  outgoing.once('error', (error) => {
    open--
    report.resets.push(`${kind.name} ${number}: ${error.message}`)
  })
  outgoing.end(kind.body)
}

// A tick sends what is due by then; after a pause of the machine it does not catch up all at once.
const start = performance.now()
let due = 0
const timer = setInterval(() => {
  const now = Math.floor(((performance.now() - start) * Number(rate)) / 1_000)
  const most = Math.ceil(Number(rate) / 20)
  // No more than a second's worth waits for its answer: what a machine cannot do is not asked of it.
  for (let left = Math.min(now - due, most); sending && left > 0 && open < Number(rate); left--) call()
  due = now
}, 5)

createInterface({ input: process.stdin }).on('line', async (word) => {
  if (word === 'calm') {
    sending = false
    // What was sent before has its connection; nobody opens one later.
    while (Object.keys(agent.requests).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    console.log('ok')
  } else if (word === 'end') {
    clearInterval(timer)
    while (open > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    console.log(JSON.stringify(report))
    process.exit()
  }
})
console.log('ready')
