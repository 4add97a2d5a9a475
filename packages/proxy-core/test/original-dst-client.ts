import { connect } from 'node:net'

/** Connects to every `address port` of its argument, says hello, and prints what each answered: a text, or the error's code. */

const targets = JSON.parse(process.argv[2] ?? '[]') as readonly string[]
const AT_ONCE = 64

function answerOf(target: string): Promise<string> {
  const [host = '', port = ''] = target.split(' ')
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ host, port: Number(port) }, () => socket.write('hello\n'))
    socket.setTimeout(10_000, () => socket.destroy(new Error('nothing came')))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith('\n')) socket.end()
    })
    socket.on('error', (error: Error & { code?: string }) => {
      text = error.code ?? error.message
    })
    socket.on('close', () => resolve(text.trim()))
  })
}

const answers: Record<string, string> = {}
const waiting = [...targets]
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let target = waiting.pop(); target !== undefined; target = waiting.pop()) answers[target] = await answerOf(target)
  }),
)
process.stdout.write(`${JSON.stringify(answers)}\n`)
