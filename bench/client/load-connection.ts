import { connect, type Socket } from 'node:net'
import type { BatchPool } from './batch-pool.js'
import type { Load } from './load.js'
import type { LoadWindows } from './load-windows.js'
import { errorCodesOf, ProduceFrame } from './produce-frame.js'
import { ResponseFrames } from './response-frames.js'

/** What all connections of a load share. */
export interface LoadRun {
  readonly load: Load
  readonly windows: LoadWindows
  readonly batches: BatchPool
  /** Told the first batch of every request, before it is sent. */
  readonly onSend?: (producerId: number, partition: number, baseSequence: number, dueAtMs: number) => void
  errorCount: number
  readonly errorCodes: Set<number>
}

interface InFlight {
  readonly frame: ProduceFrame
  readonly dueAtMs: number
}

/**
 * One idempotent producer on one connection. Requests are pipelined up to `inFlightMax`; what is due beyond that waits,
 * and its waiting counts as latency.
 */
export class LoadConnection {
  readonly #socket: Socket
  readonly #run: LoadRun
  readonly #producerId: number
  readonly #idle: ProduceFrame[]
  readonly #inFlight: InFlight[] = []
  readonly #due: number[] = []
  readonly #sequences: Int32Array
  readonly #frames = new ResponseFrames()
  readonly #onIdle: () => void
  #correlationId = 0
  #nextPartition: number

  static open(run: LoadRun, number: number, producerId: number, onIdle: () => void): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: run.load.host, port: run.load.port, noDelay: true }, () =>
        resolve(new LoadConnection(socket, run, number, producerId, onIdle)),
      )
      socket.once('error', reject)
    })
  }

  private constructor(socket: Socket, run: LoadRun, number: number, producerId: number, onIdle: () => void) {
    const { topic, partitionCount, connectionCount, inFlightMax, partitionsPerRequest, recordsPerBatch } = run.load
    this.#socket = socket
    this.#run = run
    this.#producerId = producerId
    this.#onIdle = onIdle
    this.#sequences = new Int32Array(partitionCount)
    // Each begins elsewhere and goes through all partitions.
    this.#nextPartition = Math.floor((number * partitionCount) / connectionCount)
    this.#idle = Array.from({ length: inFlightMax }, () => {
      const batches = Array.from({ length: partitionsPerRequest }, () => run.batches.take())
      return new ProduceFrame({ topic, batches, recordsPerBatch, producerId })
    })
    socket.on('data', (chunk) => {
      for (const frame of this.#frames.take(chunk)) this.#answered(frame)
    })
    socket.on('close', () => {
      run.errorCount += this.unanswered
    })
  }

  get hasRoom(): boolean {
    return this.#idle.length > 0
  }

  /** Requests that were due and have no answer yet. */
  get unanswered(): number {
    return this.#inFlight.length + this.#due.length
  }

  /** Sends a request now, or as soon as an earlier one is answered; its latency counts from `dueAtMs`. */
  submit(dueAtMs: number): void {
    const frame = this.#idle.pop()
    if (frame === undefined) {
      this.#due.push(dueAtMs)
      return
    }
    const partition = this.#nextPartition
    this.#run.onSend?.(this.#producerId, partition, this.#sequences[partition]!, dueAtMs)
    frame.address(this.#correlationId++, partition, this.#sequences)
    this.#nextPartition = (partition + this.#run.load.partitionsPerRequest) % this.#sequences.length
    this.#inFlight.push({ frame, dueAtMs })
    this.#socket.write(frame.bytes)
  }

  end(): void {
    this.#socket.destroy()
  }

  #answered(response: Buffer): void {
    const request = this.#inFlight.shift()
    if (request === undefined) throw new Error('an answer came without a request')
    const { frame, dueAtMs } = request
    for (const errorCode of errorCodesOf(response)) {
      this.#run.errorCount++
      this.#run.errorCodes.add(errorCode)
    }
    this.#run.windows.acknowledged(dueAtMs, performance.now(), frame.batchBytes, frame.recordCount)
    this.#idle.push(frame)
    const due = this.#due.shift()
    if (due !== undefined) this.submit(due)
    else this.#onIdle()
  }
}
