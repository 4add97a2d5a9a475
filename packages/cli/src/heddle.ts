#!/usr/bin/env node
import { stderr, stdin, stdout, versions } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { main } from './main.js'

// What buffers hold outside of the heap makes newer engines collect far too often under TLS without it (nodejs/node#61967).
if (Number(versions.node.split('.')[0]) >= 24) setFlagsFromString('--external-memory-accounted-in-global-limit')

// A reader that has seen enough (`heddle … | head`) is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  async stdin() {
    let text = ''
    stdin.setEncoding('utf8')
    for await (const chunk of stdin) text += String(chunk)
    return text
  },
  env: process.env,
  colour: stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  stopped: () =>
    new Promise((resolve) => {
      process.once('SIGINT', () => resolve())
      process.once('SIGTERM', () => resolve())
    }),
})
