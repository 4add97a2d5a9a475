// Half requests and silent connections from a process of its own, which has descriptors of its own. usage: slowloris-client.mjs PORT EACH.
// Says `open` when all are connected, and a report as JSON when all are closed.
import { connect } from 'node:net'

const [port, each] = process.argv.slice(2).map(Number)
const HALF = 'GET / HTTP/1.1\r\nhost: h\r\nx-slow: '

function open(says) {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(says)
      resolve({ socket, closed, heard: () => heard })
    })
    const closed = new Promise((done) => socket.on('close', done))
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1')
    })
    socket.on('end', () => socket.end())
    // Once connected, an error is one way to be closed.
    socket.on('error', reject)
  })
}

const connections = await Promise.all(Array.from({ length: 2 * each }, (_, i) => open(i % 2 === 0 ? HALF : '')))
console.log('open')
// More of the head, a byte at a time, earns no more time.
const drip = setInterval(() => {
  for (const [i, { socket }] of connections.entries()) if (i % 2 === 0 && socket.writable) socket.write('a')
}, 100)
await Promise.all(connections.map(({ closed }) => closed))
clearInterval(drip)
const untold = connections.filter(({ heard }, i) => i % 2 === 0 && !heard().startsWith('HTTP/1.1 408 ')).length
const spoken = connections.filter(({ heard }, i) => i % 2 === 1 && heard() !== '').length
console.log(JSON.stringify({ untold, spoken }))
