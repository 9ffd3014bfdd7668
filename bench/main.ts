/** `npm run bench`, or `npm run bench -- NAME…` for some of them. */
import { benchmarkAgent } from './agent.js'
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
import { newReport, renderReport, writeReport } from './report.js'

const benchmarks: Readonly<Record<string, () => Measurement[] | Promise<Measurement[]>>> = {
  crc: benchmarkCrc,
  lz4: benchmarkLz4,
  encode: benchmarkEncode,
  engine: benchmarkEngine,
  agent: benchmarkAgent,
  latency: benchmarkLatency,
  'end-to-end': benchmarkEndToEnd,
  commit: benchmarkCommit,
  fetch: benchmarkFetch,
  cost: benchmarkCost,
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benchmarks)
const unknown = names.filter((name) => benchmarks[name] === undefined)
if (unknown.length > 0) {
  console.error(`unknown benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`)
  process.exit(1)
}

const measurements: Measurement[] = []
for (const name of names) {
  console.error(`measuring ${name} …`)
  measurements.push(...(await benchmarks[name]!()))
}
const report = newReport(measurements)
console.log(renderReport(report))
const file = writeReport(report)
console.log(`written to ${file} and ${writeCharts(report, file.replace(/json$/, 'html'))}`)
