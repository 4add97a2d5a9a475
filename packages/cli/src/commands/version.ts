import { type Command, EXIT, outputFlag, wantsJson } from '../command.js'
import { VERSION } from '../version.js'

export const version: Command = {
  name: 'version',
  summary: 'the version of this command and of the Node that runs it',
  flags: { output: outputFlag },
  async run(args, io) {
    const versions = { heddle: VERSION, node: process.version }
    io.out(
      wantsJson(args) ? `${JSON.stringify(versions, undefined, 2)}\n` : `heddle ${versions.heddle} on Node ${versions.node}\n`,
    )
    return EXIT.ok
  },
}
