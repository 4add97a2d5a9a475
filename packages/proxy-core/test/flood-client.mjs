// Bytes from a process of its own, as fast as they are taken. usage: flood-client.mjs PORT FILE. Says for how many milliseconds it was let do so, as JSON.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

const [port, file] = process.argv.slice(2)
const bytes = readFileSync(file)
const socket = connect(Number(port), '127.0.0.1', () => {
  const start = performance.now()
  let told = Number.NaN
  socket.on('data', () => {})
  socket.on('error', () => {})
  socket.on('end', () => {
    told = performance.now() - start
    socket.destroy()
  })
  socket.on('close', () => console.log(JSON.stringify({ ms: Number.isNaN(told) ? performance.now() - start : told })))
  socket.write(bytes)
})
