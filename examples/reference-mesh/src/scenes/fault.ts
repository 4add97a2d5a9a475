import type { Scene } from '../scene.js'

const DELAY_MS = 300

export const fault: Scene = {
  title: 'Faults by header: an error and a delay that no app made',
  async run(mesh, report) {
    await mesh.apply('fault.yaml', 'fault.yaml')
    const call = async (test: string): Promise<{ status: number; body: string; ms: number }> => {
      const start = performance.now()
      const { last } = await mesh.call('apps-client', { host: 'apps-svc-v1', headers: { 'x-test': test } })
      return { status: last.status, body: last.body, ms: performance.now() - start }
    }
    const abort = await call('abort')
    report.check(abort.status === 418, `x-test: abort gets ${abort.status} ${JSON.stringify(abort.body)}`)
    const delay = await call('delay')
    report.check(
      delay.status === 200 && delay.ms >= DELAY_MS,
      `x-test: delay gets ${delay.status} after ${delay.ms.toFixed(0)} ms`,
    )
    const plain = await call('none')
    report.check(plain.status === 200 && plain.body === 'c1', `everybody else gets ${plain.status} ${plain.body}`)
    await mesh.remove('fault.yaml')
  },
}
