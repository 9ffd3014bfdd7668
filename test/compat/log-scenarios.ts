import { setTimeout as sleep } from 'node:timers/promises'
import { type Codec, within } from './driver.js'
import { checkSame, recordsOf } from './records.js'
import type { Place } from './scenarios.js'

/** What the client writes in a codec, it and another client read. */
export async function produceAndConsume({ driver, witness, topic }: Place, codec: Codec): Promise<void> {
  const name = await topic(3)
  const records = recordsOf(300, 3)
  await driver.produce({ topic: name, codec, idempotent: false, records })
  checkSame(records, await driver.read({ topic: name, count: records.length }), driver.client)
  checkSame(records, await witness.read({ topic: name, count: records.length }), witness.client)
}

const CLOCK_STEP_MS = 100

/** From a moment on, the first record is the first that was sent after it. */
export async function seekByTimestamp({ driver, topic }: Place): Promise<void> {
  const name = await topic(2)
  const send = (label: string, count: number) =>
    driver.produce({ topic: name, codec: 'none', idempotent: false, records: recordsOf(count, 2, label) })
  await send('before', 40)
  await sleep(CLOCK_STEP_MS)
  const fromTimestampMs = Date.now()
  await sleep(CLOCK_STEP_MS)
  await send('after', 40)
  const read = await driver.read({ topic: name, count: 40, fromTimestampMs })
  checkSame(recordsOf(40, 2, 'after'), read, driver.client)
}

const VISIBLE_TIMEOUT_MS = 10_000

export async function adminRoundTrip({ driver, unused }: Place): Promise<void> {
  const name = unused('admin')
  const shows = (count: number | undefined) =>
    within(`${name} has ${count} partitions`, VISIBLE_TIMEOUT_MS, async () =>
      (await driver.partitionCount(name)) === count ? true : undefined,
    )
  await shows(undefined)
  await driver.createTopic(name, 5)
  await shows(5)
  await driver.deleteTopic(name)
  await shows(undefined)
  await driver.createTopic(name, 2)
  await shows(2)
  const records = recordsOf(20, 2)
  await driver.produce({ topic: name, codec: 'none', idempotent: false, records })
  checkSame(records, await driver.read({ topic: name, count: 20 }), driver.client)
  await driver.deleteTopic(name)
}

const RETENTION_MS = '86400001'

export async function topicSettings({ driver, topic }: Place): Promise<void> {
  const name = await topic(2)
  await driver.setConfig(name, 'retention.ms', RETENTION_MS)
  await within('the config is what it was set to', VISIBLE_TIMEOUT_MS, async () =>
    (await driver.config(name, 'retention.ms')) === RETENTION_MS ? true : undefined,
  )
  await driver.createPartitions(name, 5)
  await within('the new partitions show', VISIBLE_TIMEOUT_MS, async () =>
    (await driver.partitionCount(name)) === 5 ? true : undefined,
  )
  const records = recordsOf(20, 5)
  await driver.produce({ topic: name, codec: 'none', idempotent: false, records })
  checkSame(records, await driver.read({ topic: name, count: 20 }), driver.client)
}

/** Several producers, one after the other: a fast one is done before anything happens to it. */
const SLICES = 4
const SLICE_RECORDS = 1000

/** Whatever is sent again because its answer was lost is stored once, in order. */
export async function idempotence({ driver, witness, topic, withCuts }: Place): Promise<void> {
  const name = await topic(1)
  const records = recordsOf(SLICES * SLICE_RECORDS, 1)
  await withCuts(async () => {
    for (let slice = 0; slice < SLICES; slice++) {
      const sent = records.slice(slice * SLICE_RECORDS, (slice + 1) * SLICE_RECORDS)
      await driver.produce({ topic: name, codec: 'none', idempotent: true, records: sent })
    }
  })
  checkSame(records, await witness.read({ topic: name, count: records.length }), witness.client)
}

const THOUSAND = 1000

export async function thousandPartitions({ driver, topic, fill }: Place): Promise<void> {
  const name = await topic(THOUSAND)
  if ((await driver.partitionCount(name)) !== THOUSAND) throw new Error('the client does not see them all')
  await fill(name, THOUSAND)
  const places = [0, 1, 499, 500, 998, 999]
  const records = places.map((partition) => ({ partition, key: `key-${partition}`, value: `value ${partition}` }))
  await driver.produce({ topic: name, codec: 'none', idempotent: false, records })
  const read = await driver.read({ topic: name, count: THOUSAND + records.length })
  const seen = new Set(read.map(({ partition }) => partition))
  if (seen.size !== THOUSAND) throw new Error(`records of ${seen.size} partitions came`)
  const own = read.filter(({ offset }) => offset === 1)
  checkSame(
    records,
    own.sort((left, right) => left.partition - right.partition),
    driver.client,
  )
}

const BIG_CHARS = 900_000
const TOO_BIG_CHARS = 3_000_000

/** Up to `max.message.bytes` they pass, and beyond it the producer hears of it. */
export async function bigMessages({ driver, topic }: Place): Promise<void> {
  const name = await topic(1)
  const value = (chars: number, number: number) => `${number}${String.fromCharCode(97 + number).repeat(chars)}`
  const records = [0, 1, 2, 3].map((number) => ({ partition: 0, key: `${number}`, value: value(BIG_CHARS, number) }))
  const send = (sent: typeof records) =>
    driver.produce({ topic: name, codec: 'none', idempotent: false, records: sent })
  for (const record of records) await send([record])
  checkSame(records, await driver.read({ topic: name, count: records.length }), driver.client)
  const refused = await send([{ partition: 0, key: 'big', value: value(TOO_BIG_CHARS, 5) }]).then(
    () => false,
    () => true,
  )
  if (!refused) throw new Error('a record beyond the limit was taken')
}
