import t from 'tap'
import { HeadraceError } from '../../../engine/errors.js'
import type { Catalog } from '../../../engine/ports/catalog.js'
import type { ObjectStore } from '../../../engine/ports/object-store.js'
import { SEGMENT_PREFIX } from '../../../engine/segment-identity.js'
import { COMMIT_AGE_MAX_MS, freshReader, type JobName, jobsOf, readFrom } from '../../support/job-setup.js'
import { batchOf, TestLog, TOPIC_ID } from '../../support/test-log.js'

/** Calls of jobs to the stores, counted; the one with the number `dieAt` fails, before or after its effect, and all after it. */
class Crash {
  #calls = 0

  constructor(
    private readonly dieAt: number,
    private readonly when: 'before' | 'after',
  ) {}

  get happened(): boolean {
    return this.#calls > this.dieAt
  }

  on<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        const call = (...args: unknown[]) => this.#call(() => Reflect.apply(member, target, args))
        if (name !== 'list') return call
        return async function* (...args: unknown[]) {
          yield* (await call(...args)) as AsyncIterable<unknown>
        }
      },
    })
  }

  #call(effect: () => unknown): unknown {
    const number = this.#calls++
    if (number < this.dieAt) return effect()
    const died = new HeadraceError('CATALOG_UNAVAILABLE', 'never', `the agent died at call ${number}`)
    if (number > this.dieAt || this.when === 'before') return Promise.reject(died)
    return Promise.resolve(effect()).then(() => Promise.reject(died))
  }
}

const JOBS: readonly JobName[] = ['retention', 'compaction', 'key-compaction', 'deletion', 'sweep']
const SETTINGS = {
  retention: { ageMaxMs: 60_000, bytesMax: undefined, intervalMs: 1000, producerIdExpirationMs: 86_400_000 },
  compaction: { fanIn: 3 },
}

async function build(): Promise<TestLog> {
  const log = await TestLog.create(2)
  await log.catalog.updateTopicConfigs(TOPIC_ID, () => ({ 'cleanup.policy': 'delete' }))
  const nowMs = log.clock.nowMs()
  for (let number = 0; number < 10; number++) {
    // The first ones have expired.
    const bytes = batchOf(2, { fill: number, timestampMs: number < 3 ? nowMs - 90_000 : nowMs, valueBytes: 200 })
    await log.write([0, 1].map((partition) => ({ partition, bytes })))
    await log.clock.advance(10)
  }
  await log.catalog.advanceLogStarts([{ topicId: TOPIC_ID, partition: 1, offset: 9 }])
  return log
}

/** Some passes of every job of one agent; ends early when it dies. */
async function work(log: TestLog, holder: string, crash?: Crash): Promise<void> {
  const catalog = crash?.on(log.catalog as Catalog) ?? log.catalog
  const objectStore = crash?.on(log.objectStore as ObjectStore) ?? log.objectStore
  const jobs = jobsOf(log, { ...SETTINGS, catalog, objectStore, holder })
  const { signal } = new AbortController()
  for (let round = 0; round < 3; round++) {
    for (const name of JOBS) {
      while (!crash?.happened) {
        const more = await jobs[name].run(signal).catch(() => false)
        if (!more) break
      }
      // So that graces end between them.
      await log.clock.advance(6_000)
    }
  }
}

async function checkLog(log: TestLog): Promise<void> {
  const offsets = await log.catalog.partitionOffsets([0, 1].map((partition) => ({ topicId: TOPIC_ID, partition })))
  for (const partition of [0, 1]) {
    const start = offsets[partition]?.logStartOffset ?? 0
    const reader = freshReader(t, log)
    if (Buffer.compare(await readFrom(reader, partition, start), log.bytesFrom(partition, start)) !== 0) {
      throw new Error(`partition ${partition} has changed`)
    }
  }
}

t.test('an agent may die at any call of its jobs: the log is whole, and another one finishes', async (t) => {
  let crashCount = 0
  for (const when of ['before', 'after'] as const) {
    for (let dieAt = 0; ; dieAt++) {
      const log = await build()
      const crash = new Crash(dieAt, when)
      await work(log, 'dying', crash)
      if (!crash.happened) break
      crashCount += 1
      await checkLog(log)
      // Past its leases, and past everything that waits for age.
      await log.clock.advance(60_000)
      for (let round = 0; round < 4; round++) {
        await work(log, 'next')
        await log.clock.advance(2 * COMMIT_AGE_MAX_MS + 1)
      }
      await checkLog(log)
      const totals = await log.catalog.segmentTotals()
      const liveCount = totals.reduce((sum, { state, segmentCount }) => sum + (state === 'live' ? segmentCount : 0), 0)
      let objectCount = 0
      for await (const _ of log.objectStore.list(SEGMENT_PREFIX)) objectCount += 1
      if (totals.some(({ state }) => state !== 'live') || objectCount !== liveCount) {
        t.fail(`died ${when} call ${dieAt}: ${objectCount} objects are left, of ${JSON.stringify(totals)}`)
      }
    }
  }
  t.ok(crashCount > 60, `${crashCount} deaths`)
})
