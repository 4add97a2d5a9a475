import type { Scene } from '../scene.js'

interface Stage {
  stage: string
  name: string
  origin?: { file: string; line: number }
  losers?: { name: string; reason: string }[]
}

/** wanted.md U1: which way would this request take, and why not another. */
export const explain: Scene = {
  title: 'heddle explain: why a request without username goes to c2',
  async run(mesh, report) {
    await mesh.apply('routing.yaml', 'ab-by-header.yaml')
    const args = [
      'explain',
      '--config',
      mesh.folder,
      '--from',
      'apps-client',
      'GET',
      'http://apps-svc-all/',
      '-H',
      'username: nolen2',
    ]
    const text = await mesh.heddle(args)
    for (const line of text.stdout.trimEnd().split('\n')) report.note(line)
    const json = await mesh.heddle([...args, '-o', 'json'])
    const stages = (JSON.parse(json.stdout || '{"stages":[]}') as { stages: Stage[] }).stages
    for (const wanted of ['listener', 'route', 'cluster', 'endpoint']) {
      const stage = stages.find((s) => s.stage === wanted)
      report.check(
        stage?.origin !== undefined,
        `${wanted} ${stage?.name ?? 'is missing'}: ${stage?.origin === undefined ? 'no line of YAML' : `${stage.origin.file.split('/').pop()}:${stage.origin.line}`}`,
      )
    }
    const losers = stages.find((s) => s.stage === 'route')?.losers ?? []
    report.check(
      losers.length > 0 && losers.every((l) => l.reason !== ''),
      `the route that lost: ${losers.map((l) => `${l.name} (${l.reason})`).join(', ')}`,
    )
  },
}
