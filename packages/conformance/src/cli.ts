import { main } from './main.js'
import { suites } from './suites/index.js'

process.exitCode = await main(process.argv.slice(2), suites, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
})
