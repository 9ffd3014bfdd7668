import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeGroupRun, runGroupFaults } from './group-run.js'
import { describeOverload, OVERLOAD, runOverload } from './overload.js'
import { describeRun, runFaults } from './run.js'

/**
 * `npm run faults [-- --seconds 60 --seed 1]`, or `npm run faults -- --overload 60` for more than the store takes, or
 * `npm run faults -- --groups 120` for a consumer group whose members and agents die.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    overload: { type: 'string' },
    groups: { type: 'string' },
  },
})
process.exitCode = (await chosen()) ? 0 : 1

function chosen(): Promise<boolean> {
  if (values.groups !== undefined) return groups(Number(values.groups))
  return values.overload === undefined ? faults() : overload(Number(values.overload))
}

async function groups(seconds: number): Promise<boolean> {
  const size = { memberCount: 6, partitionCount: 120 }
  const run = await runGroupFaults({ seed: Number(values.seed), runMs: seconds * 1_000, ...size })
  console.log(`seed ${values.seed}\n${describeGroupRun(run)}`)
  return run.violations.length === 0
}

async function faults(): Promise<boolean> {
  const run = await runFaults(Number(values.seed), Number(values.seconds) * 1_000)
  console.log(`seed ${values.seed}\n${describeRun(run)}`)
  return run.violations.length === 0
}

async function overload(seconds: number): Promise<boolean> {
  const ends: (() => void | Promise<void>)[] = []
  const directory = await mkdtemp(join(tmpdir(), 'headrace-overload-'))
  const catalogUrl = `sqlite://${join(directory, 'catalog.db')}`
  const options = { ...OVERLOAD, storeBytesPerSecond: 4 * 2 ** 20, loadMs: seconds * 1_000, catalogUrl }
  try {
    const run = await runOverload({ teardown: (end) => void ends.push(end) }, options)
    console.log(describeOverload(run, options))
    return run.lost.length === 0 && run.unansweredCount === 0
  } finally {
    for (const end of ends.reverse()) await end()
    await rm(directory, { recursive: true, force: true })
  }
}
