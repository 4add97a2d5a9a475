import { XDS_MESSAGES } from './xds-messages.js'
const m = XDS_MESSAGES[process.argv[2]!]!()
const n = Number(process.argv[3])
const b = m.type.encode(m.json, m.registry)
for (let r = 0; r < 3; r++) { const t = process.cpuUsage(); for (let i = 0; i < n; i++) m.type.decode(b, m.registry); const d = process.cpuUsage(t); console.log(process.argv[2], ((d.user + d.system) / n).toFixed(2), 'us') }
