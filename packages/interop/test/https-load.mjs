// Load on one HTTPS port from a process of its own: so many requests a second on kept connections, every tenth on a new one, none sent twice.
// usage: https-load.mjs PORT RATE ROOTS_FILE. On stdin: `only NAME` (from now on every answer must be NAME, or with `*` any; `ok`
// comes when what was asked before has its answer) and `end`.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { createInterface } from 'node:readline'

const [port, rate, rootsFile] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const tls = { ca: readFileSync(rootsFile), checkServerIdentity: () => undefined }
const report = { sent: 0, answers: {}, failures: [], certificates: {} }
let only
/** Numbers of the requests without an answer. */
const open = new Set()

/** What went wrong with a request, by the time that it was sent. */
const fail = (number, what) => report.failures.push(`request ${number}: ${what}`)

function call() {
  const number = ++report.sent
  const wanted = only
  const fresh = number % 10 === 0
  open.add(number)
  const outgoing = request(
    { host: '127.0.0.1', port, agent: fresh ? false : agent, headers: { host: 'shop' }, ...tls },
    (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (body += chunk))
      response.once('error', (error) => fail(number, error))
      response.once('close', () => open.delete(number))
      response.once('end', () => {
        const answer = response.statusCode === 200 ? body : `${response.statusCode} ${body}`
        report.answers[answer] = (report.answers[answer] ?? 0) + 1
        if (response.statusCode !== 200) fail(number, answer)
        else if (wanted !== undefined && body !== wanted) fail(number, `${body} instead of ${wanted}`)
      })
      if (!fresh) return
      const { fingerprint256 } = response.socket.getPeerCertificate()
      report.certificates[fingerprint256] = (report.certificates[fingerprint256] ?? 0) + 1
    },
  )
  outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('no answer')))
  outgoing.once('error', (error) => {
    open.delete(number)
    fail(number, error)
  })
  outgoing.end()
}

async function answeredUpTo(number) {
  while ([...open].some((one) => one <= number)) await new Promise((resolve) => setTimeout(resolve, 10))
}

const timer = setInterval(call, 1_000 / Number(rate))

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [word, name] = line.split(' ')
  if (word === 'only') {
    only = name === '*' ? undefined : name
    await answeredUpTo(report.sent)
    console.log('ok')
  } else if (word === 'end') {
    clearInterval(timer)
    await answeredUpTo(report.sent)
    console.log(JSON.stringify(report))
    process.exit()
  }
})
