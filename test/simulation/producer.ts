import type { ProduceRequest, ProduceResult } from '../../engine/broker.js'
import type { TopicId } from '../../engine/model.js'
import { readBatchHeader } from '../../format/index.js'
import { encodeBatch } from './batches.js'
import { Connection } from './connection.js'
import type { SimulatedAgent } from './simulated-agent.js'
import type { World } from './world.js'

/** Requests a Kafka client has in flight at most on one connection when it is idempotent. */
const IN_FLIGHT_MAX = 5
const PARTITIONS_PER_REQUEST_MAX = 3

export type ProducerKind = 'idempotent' | 'retrying' | 'once'

export interface ProducerOptions {
  readonly name: string
  readonly kind: ProducerKind
  readonly producerId: number
  readonly topicId: TopicId
  readonly partitionCount: number
  /** Rounds of batches it wants to write. */
  readonly roundCount: number
  readonly agents: () => readonly SimulatedAgent[]
}

interface ClientBatch {
  readonly partition: number
  readonly number: number
  readonly sequence: number
  readonly recordCount: number
  state: 'queued' | 'sent' | 'done'
  attempts: number
}

interface SentRequest {
  readonly batches: readonly ClientBatch[]
  readonly connection: Connection
}

/**
 * A Kafka producer by the rules of the real clients: several requests in flight, retries in the order of sequences, another
 * agent after a lost connection or a timeout. What it sends again late is a copy that the network kept (`#repeat`).
 */
export class SimulatedProducer {
  done = false
  readonly #partitions: ClientBatch[][]
  readonly #sequences: number[]
  readonly #inFlight = new Map<number, SentRequest>()
  #connection: Connection | undefined
  #connecting = false
  #requestNumber = 0
  #roundsLeft: number
  #pausedUntilMs = 0

  constructor(
    private readonly world: World,
    private readonly options: ProducerOptions,
  ) {
    this.#roundsLeft = options.roundCount
    this.#partitions = Array.from({ length: options.partitionCount }, () => [])
    this.#sequences = new Array(options.partitionCount).fill(0)
    this.#scheduleRound()
  }

  get #idempotent(): boolean {
    return this.options.kind === 'idempotent'
  }

  get #undone(): number {
    return this.#partitions.reduce((sum, batches) => sum + batches.filter((batch) => batch.state !== 'done').length, 0)
  }

  /** Says in the history what it could not get done. */
  finish(): void {
    this.world.history.add({ kind: 'producer-done', client: this.options.name, undone: this.#undone })
  }

  #scheduleRound(): void {
    this.world.clock.schedule(this.world.between(0, 60), () => {
      this.#roundsLeft--
      this.#makeRound()
      this.#pump()
      if (this.#roundsLeft > 0) this.#scheduleRound()
      else this.#checkDone()
    })
  }

  #makeRound(): void {
    const { world } = this
    const rounds = world.chance(0.3) ? 3 : 1
    for (let round = 0; round < rounds; round++) {
      for (const [partition, batches] of this.#partitions.entries()) {
        if (!world.chance(0.7)) continue
        const recordCount = 1 + world.int(3)
        const sequence = this.#sequences[partition] ?? 0
        this.#sequences[partition] = sequence + recordCount
        batches.push({ partition, number: batches.length, sequence, recordCount, state: 'queued', attempts: 0 })
      }
    }
  }

  #pump(): void {
    if (this.world.clock.monotonicMs() < this.#pausedUntilMs) return
    while (this.#inFlight.size < IN_FLIGHT_MAX) {
      const batches = this.#nextBatches()
      if (batches.length === 0) return
      if (this.#connection === undefined) {
        this.#connect()
        return
      }
      this.#send(batches, this.#connection)
    }
  }

  /** Rotates where it begins, so that requests are not all alike. */
  #nextBatches(): ClientBatch[] {
    const start = this.world.int(this.#partitions.length)
    const count = 1 + this.world.int(PARTITIONS_PER_REQUEST_MAX)
    const batches: ClientBatch[] = []
    for (let step = 0; step < this.#partitions.length && batches.length < count; step++) {
      const partition = this.#partitions[(start + step) % this.#partitions.length] ?? []
      const batch = this.#sendable(partition)
      if (batch !== undefined) batches.push(batch)
    }
    return batches
  }

  /** As the Java client: a batch that is sent again waits until nothing before it is in flight. */
  #sendable(partition: readonly ClientBatch[]): ClientBatch | undefined {
    const batch = partition.find(({ state }) => state === 'queued')
    if (batch === undefined || !this.#idempotent || batch.attempts === 0) return batch
    return partition.some(({ state, number }) => state === 'sent' && number < batch.number) ? undefined : batch
  }

  #connect(): void {
    if (this.#connecting) return
    this.#connecting = true
    const { world } = this
    world.clock.schedule(world.between(1, 20), () => {
      this.#connecting = false
      const agent = world.pick(this.options.agents())
      if (agent !== undefined) this.#connection = this.#open(agent)
      this.#pump()
    })
  }

  #open(agent: SimulatedAgent): Connection {
    const connection = new Connection(this.world, agent, {
      answered: (request, results) => this.#answered(request, results),
      lost: () => this.#lose(connection),
    })
    return connection
  }

  #send(batches: readonly ClientBatch[], connection: Connection): void {
    const { world } = this
    const request = this.#requestNumber++
    for (const batch of batches) {
      batch.state = 'sent'
      batch.attempts++
    }
    this.#inFlight.set(request, { batches, connection })
    this.#transmit(request, batches, connection)
    // Impatience belongs to the storm: in the end a busy agent must be given the time it needs.
    const patienceMs = world.isCalm ? 10_000 : world.between(300, 1500)
    world.clock.schedule(patienceMs, () => {
      if (this.#inFlight.has(request)) this.#lose(connection)
    })
    if (this.#idempotent && world.chance(0.2)) this.#scheduleRepeat(batches)
  }

  #transmit(request: number, batches: readonly ClientBatch[], connection: Connection): void {
    const { world, options } = this
    const encoded = batches.map((batch) =>
      encodeBatch({
        client: options.name,
        request,
        number: batch.number,
        recordCount: batch.recordCount,
        timestampMs: world.clock.nowMs(),
        producerId: options.producerId,
        baseSequence: options.producerId < 0 ? -1 : batch.sequence,
        padding: world.int(120),
      }),
    )
    world.history.add({
      kind: 'send',
      client: options.name,
      idempotent: this.#idempotent,
      connection: connection.number,
      agent: connection.agent.name,
      request,
      batches: batches.map(({ partition, number, recordCount }, index) => {
        const crc = readBatchHeader(encoded[index] ?? new Uint8Array(0)).crc
        return { client: options.name, request, number, partition, recordCount, crc }
      }),
    })
    connection.send(request, produceRequest(options.topicId, batches, encoded))
  }

  /** A copy of a request arrives once more, later, at another agent: by then its partitions have been written to. */
  #scheduleRepeat(batches: readonly ClientBatch[]): void {
    this.world.clock.schedule(this.world.chance(0.5) ? this.world.between(0, 15) : this.world.between(15, 400), () => {
      const agent = this.world.pick(this.options.agents())
      const known = batches.filter((batch) => this.#partitions[batch.partition]?.some(({ state }) => state === 'done'))
      if (agent === undefined || known.length === 0) return
      const connection = new Connection(this.world, agent, { answered: () => {}, lost: () => {} })
      this.#transmit(this.#requestNumber++, known, connection)
    })
  }

  #answered(request: number, results: readonly ProduceResult[]): void {
    const sent = this.#inFlight.get(request)
    if (sent === undefined) return
    this.#inFlight.delete(request)
    this.#recordAnswer(request, sent, results)
    for (const [index, batch] of sent.batches.entries()) {
      const result = results[index]
      if (result === undefined) throw new Error('an answer has fewer results than its request has batches')
      if (result.ok || result.error.code === 'SEQUENCE_DUPLICATE') batch.state = 'done'
      else this.#failed(batch)
    }
    this.#checkDone()
    this.#pump()
  }

  #recordAnswer(request: number, sent: SentRequest, results: readonly ProduceResult[]): void {
    this.world.history.add({
      kind: 'answer',
      client: this.options.name,
      request,
      results: sent.batches.map(({ partition, number }, index) => {
        const result = results[index]
        if (result?.ok === true) return { partition, number, baseOffset: result.baseOffset, error: undefined }
        const error = result?.error.code ?? 'none'
        return { partition, number, baseOffset: error === 'SEQUENCE_DUPLICATE' ? -1 : undefined, error }
      }),
    })
  }

  #failed(batch: ClientBatch): void {
    batch.state = this.options.kind === 'once' ? 'done' : 'queued'
    if (batch.state === 'queued') this.#pause()
  }

  #pause(): void {
    const delayMs = this.world.between(5, 40)
    this.#pausedUntilMs = this.world.clock.monotonicMs() + delayMs
    this.world.clock.schedule(delayMs + 0.001, () => this.#pump())
  }

  /** Everything in flight on it is of unknown outcome, and is sent again elsewhere. */
  #lose(connection: Connection): void {
    connection.close()
    if (this.#connection === connection) this.#connection = undefined
    for (const [request, sent] of this.#inFlight) {
      if (sent.connection !== connection) continue
      this.#inFlight.delete(request)
      for (const batch of sent.batches) this.#failed(batch)
    }
    this.#checkDone()
    this.#pump()
  }

  #checkDone(): void {
    if (this.#roundsLeft <= 0 && this.#undone === 0) this.done = true
  }
}

function produceRequest(
  topicId: TopicId,
  batches: readonly ClientBatch[],
  encoded: readonly Uint8Array[],
): ProduceRequest {
  let position = 0
  const placed = batches.map(({ partition }, index) => {
    const bytes = encoded[index]?.byteLength ?? 0
    position += bytes
    return { topicId, partition, position: position - bytes, bytes, zstdAllowed: true }
  })
  return { chunks: encoded, batches: placed }
}
