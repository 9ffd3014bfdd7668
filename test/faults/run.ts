import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { SeededRandom } from '../support/virtual-clock.js'
import { findViolations, type Send, type Violation } from './checker.js'
import { startCluster } from './cluster.js'
import { type FaultCount, runNemesis } from './nemesis.js'
import { consume, produce, produceByKcat, readAll, readAllByKcat, TOPIC } from './workload.js'

export interface FaultRun {
  readonly faults: ReadonlyMap<string, FaultCount>
  readonly sends: readonly Send[]
  readonly acknowledgedCount: number
  readonly pollCount: number
  readonly violations: readonly Violation[]
}

const AGENT_COUNT = 2
/** So short that an agent can be asleep beyond its registration within a test. */
const HEARTBEAT_INTERVAL_MS = 500
/** So many that each agent leads some. */
const PARTITION_COUNT = 8

/** Real processes under faults for at least `runMs`, and until each kind of fault was there. Ends all it starts. */
export async function runFaults(seed: number, runMs: number): Promise<FaultRun> {
  const cluster = await startCluster(AGENT_COUNT, HEARTBEAT_INTERVAL_MS)
  try {
    const addresses = cluster.agents.map(({ address }) => address)
    await createTopic(kafkajsClient(addresses), TOPIC, PARTITION_COUNT)
    const stop = new AbortController()
    const producers = [true, false].flatMap((idempotent) => {
      const name = idempotent ? 'idempotent' : 'plain'
      return [
        produce(name, idempotent, addresses, PARTITION_COUNT, stop.signal),
        produceByKcat(`kcat-${name}`, idempotent, addresses, PARTITION_COUNT, stop.signal),
      ]
    })
    const consumers = addresses.flatMap((address, number) => [
      consume(`reader-${number}`, address, readAll, stop.signal),
      consume(`kcat-${number}`, address, readAllByKcat, stop.signal),
    ])
    let faults: ReadonlyMap<string, FaultCount>
    try {
      faults = await runNemesis(cluster, new SeededRandom(seed), runMs)
    } finally {
      stop.abort()
    }
    const sends = (await Promise.all(producers)).flat()
    const polls = await Promise.all(consumers)
    const final = await readAll('the final read', addresses)
    return {
      faults,
      sends,
      acknowledgedCount: sends.filter(({ outcome }) => outcome === 'acknowledged').length,
      pollCount: polls.flat().length,
      violations: findViolations(sends, polls.flat(), final),
    }
  } finally {
    await cluster.stop()
  }
}

export function describeRun({ faults, sends, acknowledgedCount, pollCount, violations }: FaultRun): string {
  const count = (kind: Violation['kind']) => violations.filter((violation) => violation.kind === kind).length
  return [
    ...[...faults].map(([name, { injected, effects }]) => `${injected} x ${name}, ${effects} times with effect`),
    `acknowledged ${acknowledgedCount} of ${sends.length} records, ${pollCount} reads`,
    `lost ${count('lost')}, duplicates ${count('duplicate')}, two values ${count('two-values')}, backwards ${count('backwards')}, out of order ${count('order')}, gaps ${count('gap')}, invented ${count('invented')}`,
    ...violations.slice(0, 20).map(({ kind, text }) => `${kind}: ${text}`),
  ].join('\n')
}
