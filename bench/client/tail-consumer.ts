import { connect, type Socket } from 'node:net'
import { BATCH_BASE_SEQUENCE, BATCH_LENGTH, BATCH_LENGTH_OVERHEAD, BATCH_PRODUCER_ID } from '../../format/index.js'
import { BATCH_LAST_OFFSET_DELTA } from '../../format/record-batch.js'
import { decodeFrame, requestFrame } from '../../test/support/kafka/raw-client.js'
import type { Load } from './load.js'
import { ResponseFrames } from './response-frames.js'

const FETCH_VERSION = 11
const LENGTH_BYTES = 4
const WAIT_MAX_MS = 500
/** As clients ask by default. */
const BYTES_MAX = 50 * 2 ** 20
const PARTITION_BYTES_MAX = 2 ** 20

interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly records: { readonly position: number; readonly bytes: number } | null
}

/**
 * A consumer at the end of all partitions of the topic, in the process of the producers: one clock, and a batch is known by its
 * producer and sequence, so nothing need be written into records.
 */
export class TailConsumer {
  readonly #socket: Socket
  readonly #topic: string
  readonly #nextOffsets: number[]
  readonly #dueAtMs = new Map<string, number>()
  readonly #onConsumed: (dueAtMs: number) => void
  #correlationId = 0

  static open(load: Load, onConsumed: (dueAtMs: number) => void): Promise<TailConsumer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: load.host, port: load.port, noDelay: true }, () =>
        resolve(new TailConsumer(socket, load, onConsumed)),
      )
      socket.once('error', reject)
    })
  }

  private constructor(socket: Socket, load: Load, onConsumed: (dueAtMs: number) => void) {
    this.#socket = socket
    this.#topic = load.topic
    this.#nextOffsets = Array.from({ length: load.partitionCount }, () => 0)
    this.#onConsumed = onConsumed
    const frames = new ResponseFrames()
    socket.on('data', (chunk) => {
      for (const frame of frames.take(chunk)) this.#answered(frame.subarray(LENGTH_BYTES))
    })
    this.#fetch()
  }

  /** Batches that were sent and have not been seen. */
  get missing(): number {
    return this.#dueAtMs.size
  }

  expect(producerId: number, partition: number, baseSequence: number, dueAtMs: number): void {
    this.#dueAtMs.set(`${producerId}/${partition}/${baseSequence}`, dueAtMs)
  }

  end(): void {
    this.#socket.destroy()
  }

  #fetch(): void {
    const partitions = this.#nextOffsets.map((fetchOffset, partition) => ({
      partition,
      fetchOffset,
      bytesMax: PARTITION_BYTES_MAX,
    }))
    const request = {
      waitMaxMs: WAIT_MAX_MS,
      bytesMin: 1,
      bytesMax: BYTES_MAX,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      rackId: '',
      topics: [{ name: this.#topic, partitions }],
    }
    this.#socket.write(requestFrame('fetch', FETCH_VERSION, ++this.#correlationId, request))
  }

  #answered(frame: Buffer): void {
    const { topics } = decodeFrame('fetch', FETCH_VERSION, frame, this.#correlationId)
    for (const { partition, errorCode, records } of (topics[0]?.partitions ?? []) as FetchedPartition[]) {
      if (errorCode !== 0) throw new Error(`Fetch answered ${errorCode}`)
      if (records !== null) this.#consume(partition, frame.subarray(records.position, records.position + records.bytes))
    }
    this.#fetch()
  }

  /** The last batch may be cut off by the byte limit: that is how Fetch works. */
  #consume(partition: number, records: Buffer): void {
    for (let position = 0; position + BATCH_BASE_SEQUENCE + 4 <= records.byteLength; ) {
      const end = position + BATCH_LENGTH_OVERHEAD + records.readInt32BE(position + BATCH_LENGTH)
      if (end > records.byteLength) break
      const lastOffset =
        Number(records.readBigInt64BE(position)) + records.readInt32BE(position + BATCH_LAST_OFFSET_DELTA)
      this.#nextOffsets[partition] = lastOffset + 1
      const producerId = records.readBigInt64BE(position + BATCH_PRODUCER_ID)
      const key = `${producerId}/${partition}/${records.readInt32BE(position + BATCH_BASE_SEQUENCE)}`
      const dueAtMs = this.#dueAtMs.get(key)
      if (dueAtMs !== undefined && this.#dueAtMs.delete(key)) this.#onConsumed(dueAtMs)
      position = end
    }
  }
}
