/**
 * `npm run bench`, or `npm run bench -- NAME…` for some of them. `npm run bench -- agent --broker HOST:PORT` puts the agent
 * and another broker, which runs already, under the same loads in turn.
 */
import { parseArgs } from 'node:util'
import { writeCharts } from './charts.js'
import { benchmarkCommit } from './commit.js'
import { benchmarkCost } from './cost.js'
import { benchmarkCrc } from './crc.js'
import { benchmarkEncode } from './encode.js'
import { benchmarkEndToEnd } from './end-to-end.js'
import { benchmarkEngine } from './engine.js'
import { benchmarkFetch } from './fetch.js'
import { benchmarkLatency } from './latency.js'
import { benchmarkLz4 } from './lz4.js'
import type { Measurement } from './measurement.js'
import { benchmarkAgent } from './produce.js'
import { describeLoad, newReport, renderReport, writeReport } from './report.js'
import { benchmarkScale } from './scale.js'
import { benchmarkAgainst, type ForeignBroker } from './versus.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { broker: { type: 'string' }, 'broker-name': { type: 'string' }, 'broker-pid': { type: 'string' } },
})
const broker = options.broker === undefined ? undefined : foreignBroker(options.broker)

const benchmarks: Readonly<Record<string, () => Measurement[] | Promise<Measurement[]>>> = {
  crc: benchmarkCrc,
  lz4: benchmarkLz4,
  encode: benchmarkEncode,
  engine: benchmarkEngine,
  agent: broker === undefined ? benchmarkAgent : () => benchmarkAgainst(broker),
  latency: benchmarkLatency,
  'end-to-end': benchmarkEndToEnd,
  commit: benchmarkCommit,
  fetch: benchmarkFetch,
  scale: benchmarkScale,
  cost: benchmarkCost,
}

const names = positionals.length > 0 ? positionals : Object.keys(benchmarks)
const unknown = names.filter((name) => benchmarks[name] === undefined)
if (unknown.length > 0) fail(`unknown benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`)

const load = describeLoad()
const measurements: Measurement[] = []
for (const name of names) {
  console.error(`measuring ${name} …`)
  const startedAtMs = performance.now()
  measurements.push(...(await benchmarks[name]!()))
  console.error(`  ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s`)
}
const report = newReport(measurements, load)
console.log(renderReport(report))
const file = writeReport(report)
console.log(`written to ${file} and ${writeCharts(report, file.replace(/json$/, 'html'))}`)

function foreignBroker(address: string): ForeignBroker {
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? fail(`--broker wants HOST:PORT, not ${address}`)
  const pid = options['broker-pid']
  const name = options['broker-name'] ?? address
  return { host: host!, port: Number(port), name, ...(pid === undefined ? {} : { pid: Number(pid) }) }
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
