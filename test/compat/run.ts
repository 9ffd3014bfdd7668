import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import type { CompatCluster } from './cluster.js'
import type { Driver } from './driver.js'
import { JsonLinesDriver } from './drivers/json-lines-driver.js'
import { KafkajsDriver } from './drivers/kafkajs.js'
import { KcatDriver } from './drivers/kcat.js'
import { PlatformaticDriver } from './drivers/platformatic.js'
import { confluentKafka, kafkaPython } from './drivers/python.js'
import type { Place, Scenario } from './scenarios.js'

const SCENARIO_TIMEOUT_MS = 180_000
const CUT_INTERVAL_MS = 150

export interface Outcome {
  readonly scenario: Scenario
  readonly kind: 'works' | 'not-in-client' | 'fails'
  /** Why, where it does not work. */
  readonly note: string
  readonly durationMs: number
}

/** A client over addresses of agents. It is closed by who made it. */
export type OpenClient = (brokers: readonly string[]) => Driver

/** Every client that needs no compiler. */
export const clients: readonly OpenClient[] = [
  (brokers) => new KafkajsDriver({ brokers }),
  (brokers) => new PlatformaticDriver({ brokers }),
  (brokers) => new KcatDriver({ brokers }),
  (brokers) => new JsonLinesDriver(confluentKafka, { brokers }),
  (brokers) => new JsonLinesDriver(kafkaPython, { brokers }),
]

export async function runScenario(cluster: CompatCluster, driver: Driver, scenario: Scenario): Promise<Outcome> {
  const startedMs = performance.now()
  const outcome = (kind: Outcome['kind'], note: string): Outcome => ({
    scenario,
    kind,
    note,
    durationMs: performance.now() - startedMs,
  })
  const lack = driver.lacks[scenario.id]
  if (lack !== undefined) return outcome('not-in-client', lack)
  if (scenario.codec !== undefined && !driver.codecs.includes(scenario.codec)) {
    return outcome(
      'not-in-client',
      `no ${scenario.codec} on Node.js ${process.versions.node.split('.')[0]}, where this ran`,
    )
  }
  const witness = driver instanceof KcatDriver ? new KafkajsDriver(cluster) : new KcatDriver(cluster)
  let timer: NodeJS.Timeout | undefined
  try {
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it does not come to an end')), SCENARIO_TIMEOUT_MS)
    })
    await Promise.race([scenario.run(placeOf(cluster, driver, witness)), tooLong])
    return outcome('works', '')
  } catch (error) {
    return outcome('fails', error instanceof Error ? error.message : `${error}`)
  } finally {
    clearTimeout(timer)
    await witness.close()
  }
}

let names = 0

function placeOf(cluster: CompatCluster, driver: Driver, witness: Driver): Place {
  const kafka = kafkajsClient(cluster.brokers)
  const unused = (name: string) => {
    names += 1
    return `${name}-${process.pid}-${names}`
  }
  return {
    driver,
    witness,
    unused,
    async topic(partitionCount) {
      const name = unused('topic')
      await createTopic(kafka, name, partitionCount)
      return name
    },
    async fill(topic, partitionCount) {
      const producer = kafka.producer()
      await producer.connect()
      const messages = Array.from({ length: partitionCount }, (_, partition) => ({ partition, value: `${partition}` }))
      await producer.send({ topic, messages })
      await producer.disconnect()
    },
    async withCuts(during) {
      const timer = setInterval(() => cluster.cutConnections(), CUT_INTERVAL_MS)
      try {
        await during()
      } finally {
        clearInterval(timer)
      }
    },
  }
}
