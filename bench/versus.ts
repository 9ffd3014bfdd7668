import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, type LoadShape, type LoadTimes, withAgent } from './agent.js'
import { MATRIX, type MatrixEntry } from './agent-matrix.js'
import type { Measurement } from './measurement.js'
import { caseOf, mibPerCoreS, type Observed, observe, rateOf, settingsOf } from './produce.js'

/** A broker that runs already, started by whoever compares. */
export interface ForeignBroker extends Broker {
  readonly name: string
  /** Of its process on this machine, for CPU time and memory. */
  readonly pid?: number
}

const REPETITIONS = 3
const TIMES: LoadTimes = { warmupMs: 1_500, durationMs: 3_000 }
/** Discarded, for each: compilers learn what is hot from the first seconds. */
const WARMUP: LoadTimes = { warmupMs: 0, durationMs: 10_000 }
/** Written bytes of one run must not be the next one's disk traffic. */
const PAUSE_MS = 500

/** The agent and another broker under the same loads, one after the other and again: A, B, A, B. */
export async function benchmarkAgainst(broker: ForeignBroker): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  await withAgent('file', [], async (agent) => {
    const entries = MATRIX.filter(({ store }) => store === undefined)
    await observe(agent, agent.pid, entries[0]!.shape, WARMUP)
    await observe(broker, broker.pid, foreign(entries[0]!.shape), WARMUP)
    for (const entry of entries) {
      const ours: Observed[] = []
      const theirs: Observed[] = []
      for (let repetition = 0; repetition < REPETITIONS; repetition++) {
        ours.push(await observe(agent, agent.pid, entry.shape, TIMES))
        await sleep(PAUSE_MS)
        theirs.push(await observe(broker, broker.pid, foreign(entry.shape), TIMES))
        await sleep(PAUSE_MS)
      }
      measurements.push(...rowsOf(broker, entry, ours, theirs))
    }
  })
  return measurements
}

function foreign(shape: LoadShape): LoadShape {
  return { ...shape, deleteTopic: true }
}

/** The agent's values, with the other broker's as what they are held against. */
function rowsOf(
  { name }: ForeignBroker,
  entry: MatrixEntry,
  ours: readonly Observed[],
  theirs: readonly Observed[],
): Measurement[] {
  const row = { benchmark: 'agent', settings: settingsOf(entry.shape, ours[0]!.result) }
  const compare = (label: string, unit: string, measureOf: (observed: Observed) => number): Measurement[] => {
    const limit = { name, values: theirs.map(measureOf) }
    const known = limit.values.every(Number.isFinite)
    return known
      ? [{ ...row, case: `${caseOf('file', entry)}${label} beside ${name}`, unit, values: ours.map(measureOf), limit }]
      : []
  }
  const mib = 2 ** 20
  return [
    ...compare('', 'MiB/s', ({ result }) => rateOf(result)),
    ...compare(', p50', 'ms', ({ result }) => result.p50Ms),
    ...compare(', p99', 'ms', ({ result }) => result.p99Ms),
    ...compare(', by CPU of the broker', 'MiB/core-s', ({ result, usage }) =>
      usage === undefined ? Number.NaN : mibPerCoreS(result, usage),
    ),
    ...compare(', resident memory', 'MiB', ({ usage }) => (usage === undefined ? Number.NaN : usage.rssBytesMax / mib)),
  ]
}
