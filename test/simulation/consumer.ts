import type { FetchResult } from '../../engine/broker.js'
import { FetchTurns } from '../../engine/fetch/index.js'
import type { TopicId } from '../../engine/model.js'
import { fetchAnswer } from '../support/fetch-answer.js'
import { readBatches } from './batches.js'
import type { CatalogDatabase } from './catalog-database.js'
import type { SimulatedAgent } from './simulated-agent.js'
import { never, type World } from './world.js'

export interface ConsumerOptions {
  readonly name: string
  readonly topicId: TopicId
  readonly partitionCount: number
  readonly agents: () => readonly SimulatedAgent[]
  readonly database: CatalogDatabase
}

/** Follows all partitions through one agent after another, and goes back now and then to read again what it has read. */
export class SimulatedConsumer {
  stopping = false
  done = false
  readonly #offsets: number[]
  readonly #turns = new FetchTurns()

  constructor(
    private readonly world: World,
    private readonly options: ConsumerOptions,
  ) {
    this.#offsets = new Array(options.partitionCount).fill(0)
    void this.#run()
  }

  async #run(): Promise<void> {
    while (!this.stopping) {
      const agent = this.world.pick(this.options.agents())
      if (agent !== undefined) await this.#poll(agent)
      await this.world.sleep(this.world.between(5, 60))
    }
    this.done = true
  }

  async #poll(agent: SimulatedAgent): Promise<void> {
    const { world, options } = this
    for (const [partition, offset] of this.#offsets.entries()) {
      if (world.chance(0.05)) this.#offsets[partition] = world.int(offset + 1)
    }
    const offsets = [...this.#offsets]
    await world.sleep(world.between(0.2, 5))
    if (!agent.alive) return
    const abort = new AbortController()
    const fetched = fetchAnswer(agent.reader, {
      waitMaxMs: world.int(80),
      bytesMin: 1,
      bytesMax: 200 + world.int(4000),
      partitions: offsets.map((offset, partition) => ({ topicId: options.topicId, partition, offset, bytesMax: 2000 })),
      turns: this.#turns,
      signal: abort.signal,
    })
    let forget = () => {}
    const ended = new Promise<undefined>((resolve) => {
      forget = agent.onEnd(() => resolve(undefined))
    })
    const results = await Promise.race([fetched.catch(() => undefined), ended])
    forget()
    abort.abort()
    world.boundary(agent)
    if (results === undefined || !agent.alive) return
    for (const [partition, result] of results.entries()) this.#take(agent, partition, offsets[partition] ?? 0, result)
  }

  #take(agent: SimulatedAgent, partition: number, fromOffset: number, result: FetchResult): void {
    const { world, options } = this
    if (result.error !== undefined) {
      const { code } = result.error
      if (code === 'OFFSET_OUT_OF_RANGE') {
        this.#beginLater(partition, fromOffset, result.logStartOffset)
        return
      }
      if (['CATALOG_', 'OBJECT_STORE_', 'AGENT_'].some((kind) => code.startsWith(kind))) return
      world.history.add({ kind: 'unreadable', reader: options.name, partition, error: result.error.code })
      return
    }
    const batches = readBatches(result.chunks)
    world.history.add({
      kind: 'poll',
      consumer: options.name,
      agent: agent.name,
      partition,
      fromOffset,
      highWatermark: result.highWatermark,
      committedHighWatermark: options.database.highWatermark(partition),
      batches,
    })
    this.#offsets[partition] = batches.at(-1)?.endOffset ?? fromOffset
  }

  /** As a client with `auto.offset.reset=earliest`. */
  #beginLater(partition: number, fromOffset: number, toldLogStartOffset: number): void {
    const { name: consumer, database } = this.options
    const logStartOffset = database.logStartOffset(partition)
    this.world.history.add({
      kind: 'out-of-range',
      consumer,
      partition,
      fromOffset,
      toldLogStartOffset,
      logStartOffset,
    })
    this.#offsets[partition] = toldLogStartOffset
  }
}

/** Reads what there is of a partition through one agent, in a world that has become quiet. */
export async function readWholeLog(
  world: World,
  agent: SimulatedAgent,
  topicId: TopicId,
  partition: number,
): Promise<void> {
  const batches = []
  let offset = 0
  let logStartOffset = 0
  for (let round = 0; ; round++) {
    const request = { waitMaxMs: 0, bytesMin: 1, bytesMax: 100_000, signal: new AbortController().signal }
    const partitions = [{ topicId, partition, offset, bytesMax: 100_000 }]
    const [result] = await fetchAnswer(agent.reader, { ...request, turns: new FetchTurns(), partitions })
    if (result === undefined) return never()
    if (round === 0 && result.error?.code === 'OFFSET_OUT_OF_RANGE') {
      logStartOffset = result.logStartOffset
      offset = logStartOffset
      continue
    }
    const read = readBatches(result.chunks)
    const error = result.error?.code ?? (read.length === 0 && offset < result.highWatermark ? 'no progress' : undefined)
    if (error !== undefined || round > 1000) {
      world.history.add({ kind: 'unreadable', reader: agent.name, partition, error: error ?? 'no end' })
    }
    batches.push(...read)
    offset = read.at(-1)?.endOffset ?? offset
    if (error !== undefined || round > 1000 || read.length === 0 || offset >= result.highWatermark) {
      const { highWatermark } = result
      world.history.add({ kind: 'final-log', agent: agent.name, partition, logStartOffset, highWatermark, batches })
      return
    }
  }
}
