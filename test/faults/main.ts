import { parseArgs } from 'node:util'
import { describeRun, runFaults } from './run.js'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
})
const run = await runFaults(Number(values.seed), Number(values.seconds) * 1_000)
console.log(`seed ${values.seed}\n${describeRun(run)}`)
process.exitCode = run.violations.length > 0 ? 1 : 0
