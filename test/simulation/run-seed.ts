import { MemoryObjectStore, type MemoryObjects } from '../../adapters/object-store/memory.js'
import { CatalogDatabase } from './catalog-database.js'
import { checkHistory } from './checker.js'
import { readWholeLog, SimulatedConsumer } from './consumer.js'
import type { HistoryEvent } from './history.js'
import { type ProducerKind, SimulatedProducer } from './producer.js'
import { COMMIT_AGE_MAX_MS, SimulatedAgent } from './simulated-agent.js'
import { choosePolicy, deleteDeadObjects, type JobsPolicy } from './simulated-jobs.js'
import { SimulatedObjectStore } from './simulated-object-store.js'
import { sweepOrphans } from './sweep.js'
import { type SeededBug, World } from './world.js'

const TOPIC_ID = '5bd1f5b2-7a2e-4d0c-9d53-111111111111'
const CALM_AFTER_MS = 2500
const END_AT_MS = 30_000

export interface SeedRun {
  readonly seed: number
  readonly violations: readonly string[]
  readonly events: readonly HistoryEvent[]
  hash(): string
}

/** Runs one seed from the first agent's start to the last look at the logs, and judges what happened. */
export async function runSeed(seed: number, bug?: SeededBug): Promise<SeedRun> {
  const run = new Run(new World(seed, bug))
  const ended = await run.run()
  const { history } = run.world
  const violations = checkHistory(history.events)
  if (!ended) violations.push('the run did not come to an end: something waits for ever')
  return { seed, violations, events: history.events, hash: () => history.hash() }
}

class Run {
  readonly #objects: MemoryObjects = new Map()
  readonly #store: MemoryObjectStore
  readonly #database: CatalogDatabase
  readonly #agents: SimulatedAgent[] = []
  readonly #producers: SimulatedProducer[] = []
  readonly #consumers: SimulatedConsumer[] = []
  readonly #partitionCount: number
  readonly #agentCount: number
  readonly #policy: JobsPolicy
  readonly #jobShare: number
  #cleaning = true
  #finished = false

  constructor(readonly world: World) {
    this.#store = new MemoryObjectStore({ objects: this.#objects, nowMs: () => world.clock.nowMs() })
    this.#partitionCount = 2 + world.int(2)
    this.#agentCount = 1 + world.int(3)
    this.#database = new CatalogDatabase(world, TOPIC_ID, this.#partitionCount, (key) => this.#objects.has(key))
    this.#policy = choosePolicy(world)
    this.#jobShare = world.pick([0, 0.5, 1]) ?? 1
  }

  async run(): Promise<boolean> {
    for (let count = 0; count < this.#agentCount; count++) this.#startAgent()
    this.#startClients()
    void this.#sweepNowAndThen()
    if (this.world.chance(0.4)) this.#scheduleClose()
    if (this.world.chance(0.4)) this.#scheduleDeleteRecords()
    const { clock } = this.world
    clock.schedule(CALM_AFTER_MS, () => this.world.calm())
    const producersDone = await clock.run(() => this.#allDone(), END_AT_MS)
    for (const producer of this.#producers) producer.finish()
    void this.#wind()
    return (await clock.run(() => this.#finished, 2 * END_AT_MS)) && producersDone
  }

  #allDone(): boolean {
    return this.world.clock.monotonicMs() >= CALM_AFTER_MS && this.#producers.every((producer) => producer.done)
  }

  readonly #living = (): readonly SimulatedAgent[] => this.#agents.filter((agent) => agent.alive && agent.accepting)

  #startAgent(): SimulatedAgent {
    const policy = this.world.chance(this.#jobShare) && this.#cleaning ? this.#policy : undefined
    const name = `agent-${this.#agents.length}`
    const agent = new SimulatedAgent(name, this.world, this.#database, this.#store, policy)
    this.#agents.push(agent)
    agent.onEnd(() => {
      this.world.clock.schedule(this.world.between(1, 200), () => this.#startAgent())
    })
    return agent
  }

  #startClients(): void {
    const { world } = this
    const shared = { topicId: TOPIC_ID, partitionCount: this.#partitionCount, agents: this.#living }
    const kinds: readonly ProducerKind[] = ['idempotent', 'idempotent', 'retrying', 'once']
    const count = 2 + world.int(3)
    for (let number = 0; number < count; number++) {
      const kind = world.pick(kinds) ?? 'idempotent'
      const producerId = kind === 'idempotent' ? number : -1
      const name = `${kind}-${number}`
      const roundCount = 3 + world.int(6)
      this.#producers.push(new SimulatedProducer(world, { ...shared, name, kind, producerId, roundCount }))
    }
    const consumer = { ...shared, name: 'consumer-0', database: this.#database }
    this.#consumers.push(new SimulatedConsumer(world, consumer))
  }

  #scheduleClose(): void {
    this.world.clock.schedule(this.world.between(20, 800), () => {
      void this.world.pick(this.#living())?.close()
    })
  }

  /** An administrator raises the start of one log, where it comes to stand inside of batches, too. */
  #scheduleDeleteRecords(): void {
    const { world } = this
    world.clock.schedule(world.between(50, 2000), () => {
      const offset = world.int(this.#database.highWatermark(0) + 1)
      this.#database.advanceLogStarts('delete-records', [{ topicId: TOPIC_ID, partition: 0, offset }])
      if (world.chance(0.5)) this.#scheduleDeleteRecords()
    })
  }

  async #sweepNowAndThen(): Promise<void> {
    while (this.#cleaning) {
      await this.world.sleep(this.world.between(100, 400))
      await this.#sweep()
    }
  }

  async #sweep(): Promise<void> {
    const { world } = this
    const life = { name: 'sweeper', alive: true, die: () => {} }
    const store = new SimulatedObjectStore(world, life, this.#store)
    const deletedKeys = await sweepOrphans(world, store, this.#database)
    if (deletedKeys.length > 0) world.history.add({ kind: 'sweep', deletedKeys })
  }

  /** What died last is past its grace by now. */
  async #deleteDead(): Promise<void> {
    const { world } = this
    const life = { name: 'janitor', alive: true, die: () => {} }
    const objectStore = new SimulatedObjectStore(world, life, this.#store)
    const shared = { database: this.#database, policy: this.#policy, commitAgeMaxMs: COMMIT_AGE_MAX_MS }
    await deleteDeadObjects(world, { ...shared, life, objectStore })
  }

  /** Lets everything end, sweeps until only what is committed can be left, and reads all logs through every agent. */
  async #wind(): Promise<void> {
    const { world } = this
    for (const consumer of this.#consumers) consumer.stopping = true
    this.#cleaning = false
    await Promise.all(this.#living().map((agent) => agent.stopJobs()))
    await world.sleep(4 * COMMIT_AGE_MAX_MS)
    await this.#sweep()
    await this.#deleteDead()
    const fresh = this.#startAgent()
    for (const agent of new Set([...this.#living().slice(0, 1), fresh])) {
      for (let partition = 0; partition < this.#partitionCount; partition++) {
        await readWholeLog(world, agent, TOPIC_ID, partition)
      }
    }
    const committedKeys = (await this.#database.rows.liveKeys()).sort()
    world.history.add({ kind: 'final-store', objectKeys: [...this.#objects.keys()].sort(), committedKeys })
    this.#finished = true
  }
}
