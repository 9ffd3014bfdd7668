/** `npm run bench`, or `npm run bench -- NAME…` for some of them. */
import { benchmarkAgent } from './agent.js'
import { benchmarkEncode } from './encode.js'
import { benchmarkEngine } from './engine.js'
import { describeMachine, type Measurement, type Report, renderTable, writeReport } from './report.js'

const benchmarks: Readonly<Record<string, () => Measurement[] | Promise<Measurement[]>>> = {
  encode: benchmarkEncode,
  engine: benchmarkEngine,
  agent: benchmarkAgent,
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
const report: Report = {
  machine: describeMachine(),
  node: process.version,
  measuredAt: new Date().toISOString(),
  measurements,
}
console.log(`${report.machine}; Node ${report.node}; ${report.measuredAt}\n\n${renderTable(measurements)}\n`)
console.log(`written to ${writeReport(report)}`)
