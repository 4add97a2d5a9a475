import { startController } from './controller.js'

const { proxy } = await startController({ '/': 'hello from your own control plane\n' }, 18_000)
proxy.ready.subscribe(() => console.log('curl http://127.0.0.1:18000/'))
