import type { Scene } from '../scene.js'

/** What the caller is never told, an operator can ask. */
export const explainDenial: Scene = {
  title: 'heddle explain: why apps-v2 may not read /info',
  async run(mesh, report) {
    await mesh.apply('authorization.yaml', 'authorization.yaml')
    const call = ['--from', 'apps-v2', 'GET', 'http://apps-svc-v1/info']
    const { stdout } = await mesh.heddle(['explain', '--config', mesh.folder, ...call])
    const why = stdout.split('\n').filter((line) => /rbac|403|nearest/.test(line))
    for (const line of why) report.note(line.trim())
    report.check(/403/.test(stdout), 'the request is refused with 403')
    report.check(
      /nearest is ns\[nolen\]-policy\[info-for-client\]-rule\[0\]: principal is .*apps-v2.* wanted .*apps-client/.test(stdout),
      'the policy that came nearest is named, with the principal that it wanted and the one that came',
    )
    await mesh.remove('authorization.yaml')
  },
}
