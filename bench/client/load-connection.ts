import { connect, type Socket } from 'node:net'
import type { Load } from './load.js'
import { countErrors, ProduceFrame } from './produce-frame.js'
import { ResponseFrames } from './response-frames.js'

export interface LoadCounts {
  requestCount: number
  bytes: number
  recordCount: number
  errorCount: number
  readonly latenciesMs: number[]
}

interface InFlight {
  readonly frame: ProduceFrame
  readonly intendedAtMs: number
}

/**
 * One idempotent producer on one connection. Requests are pipelined up to `inFlightMax`; what is due beyond that waits,
 * and its waiting counts as latency.
 */
export class LoadConnection {
  readonly #socket: Socket
  readonly #counts: LoadCounts
  readonly #idle: ProduceFrame[]
  readonly #inFlight: InFlight[] = []
  readonly #due: number[] = []
  readonly #sequences: Int32Array
  readonly #frames = new ResponseFrames()
  readonly #onIdle: () => void
  #correlationId = 0

  static open(load: Load, producerId: number, counts: LoadCounts, onIdle: () => void): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: load.host, port: load.port, noDelay: true }, () =>
        resolve(new LoadConnection(socket, load, producerId, counts, onIdle)),
      )
      socket.once('error', reject)
    })
  }

  private constructor(socket: Socket, load: Load, producerId: number, counts: LoadCounts, onIdle: () => void) {
    this.#socket = socket
    this.#counts = counts
    this.#onIdle = onIdle
    this.#sequences = new Int32Array(load.partitionCount)
    this.#idle = Array.from({ length: load.inFlightMax }, (_, number) => {
      // Neighbouring requests take neighbouring partitions, so that all are used.
      const first = (producerId + number) * load.partitionsPerRequest
      return new ProduceFrame({
        topic: load.topic,
        partitions: Array.from({ length: load.partitionsPerRequest }, (_, k) => (first + k) % load.partitionCount),
        payload: load.payload,
        recordsPerBatch: load.recordsPerBatch,
        producerId,
      })
    })
    socket.on('data', (chunk) => {
      for (const frame of this.#frames.take(chunk)) this.#answered(frame)
    })
    socket.on('close', () => {
      counts.errorCount += this.#inFlight.length
    })
  }

  get hasRoom(): boolean {
    return this.#idle.length > 0
  }

  /** Sends a request now, or as soon as an earlier one is answered; its latency counts from `intendedAtMs`. */
  submit(intendedAtMs: number): void {
    const frame = this.#idle.pop()
    if (frame === undefined) {
      this.#due.push(intendedAtMs)
      return
    }
    frame.number(this.#correlationId++, this.#sequences)
    this.#inFlight.push({ frame, intendedAtMs })
    this.#socket.write(frame.bytes)
  }

  end(): void {
    this.#socket.destroy()
  }

  #answered(response: Buffer): void {
    const request = this.#inFlight.shift()
    if (request === undefined) throw new Error('an answer came without a request')
    this.#counts.errorCount += countErrors(response)
    this.#counts.requestCount++
    this.#counts.bytes += request.frame.batchBytes
    this.#counts.recordCount += request.frame.recordCount
    this.#counts.latenciesMs.push(performance.now() - request.intendedAtMs)
    this.#idle.push(request.frame)
    const due = this.#due.shift()
    if (due !== undefined) this.submit(due)
    else this.#onIdle()
  }
}
