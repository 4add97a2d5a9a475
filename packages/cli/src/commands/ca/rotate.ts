import { createFolderRotation, type FolderRotation, readPluggedInFolder } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, outputFlag, UsageError, wantsJson } from '../../command.js'
import { asInput, durationOf, folderOf } from './flags.js'

const STEPS: Readonly<Record<string, (rotation: FolderRotation, args: Arguments) => Promise<void>>> = {
  'trust-both': async (rotation, args) => {
    const next = args.string('next')
    if (next === undefined)
      throw new UsageError('--phase trust-both needs --next, the folder of the new CA (heddle ca init makes one)')
    await rotation.trustBoth(await readPluggedInFolder(next))
  },
  'sign-new': (rotation) => rotation.signNew(),
  'drop-old': (rotation, args) => rotation.dropOld({ force: args.boolean('force') }),
  abort: (rotation) => rotation.abort(),
}

const NEXT_STEP: Readonly<Record<string, string>> = {
  stable: 'one CA signs, and is trusted',
  'trust-both': 'both CAs are trusted, the old one signs; when every workload has the new root: --phase sign-new',
  'sign-new': 'both CAs are trusted, the new one signs; when every workload has renewed: --phase drop-old',
}

export const caRotate: Command = {
  name: 'ca rotate',
  summary: 'change the root of a CA in three phases, without a failed handshake; without --phase, tell where it is',
  positionals: 'DIR',
  flags: {
    phase: { type: 'string', value: 'PHASE', help: 'trust-both, sign-new, drop-old; or abort' },
    next: { type: 'string', value: 'DIR', help: 'folder of the new CA, for trust-both' },
    ttl: { type: 'string', value: 'TIME', help: 'how long certificates live at most: so long drop-old is refused (default 24h)' },
    force: { type: 'boolean', help: 'drop the old root although its certificates may be in use' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const { folder, rest } = folderOf(args)
    if (rest.length > 0) throw new UsageError(`unexpected ${rest[0]}`)
    const leafTtlMs = durationOf(args, 'ttl')
    const rotation = createFolderRotation({ folder, clock: systemClock, ...(leafTtlMs === undefined ? {} : { leafTtlMs }) })
    const step = args.string('phase')
    const run = step === undefined ? undefined : STEPS[step]
    if (step !== undefined && run === undefined)
      throw new UsageError(`--phase takes ${Object.keys(STEPS).join(', ')}, not ${step}`)
    await asInput(async () => {
      await readPluggedInFolder(folder)
      await run?.(rotation, args)
    })
    const phase = await rotation.phase()
    io.out(json ? `${JSON.stringify({ folder, phase })}\n` : `${folder}: ${phase}: ${NEXT_STEP[phase]}\n`)
    return EXIT.ok
  },
}
