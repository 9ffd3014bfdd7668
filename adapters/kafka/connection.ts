import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { Broker } from '../../engine/broker.js'
import { FetchTurns } from '../../engine/fetch/index.js'
import type { Logger } from '../../engine/ports/logger.js'
import { apiVersions } from './apis/18-api-versions.js'
import { isFlexible } from './apis/api.js'
import type { RequestContext } from './context.js'
import { type Endpoint, encodeFrame, endpointOf, type Respond, UnacknowledgedError } from './endpoints.js'
import type { FrameBudget, FrameShare } from './frame-budget.js'
import { apiVersionsUnsupported } from './handlers/api-versions.js'
import type { LimitedWarnings, WarningReason } from './limited-warnings.js'
import { type Frame, ResponseQueue, ResponseStalledError } from './response-queue.js'
import type { KafkaListenerSettings, KafkaMetrics } from './settings.js'
import { SocketInput } from './socket-input.js'
import { decodeRequestFront, decodeRequestHeaderRest } from './wire/header.js'
import { WireReader } from './wire/reader.js'
import { WireError } from './wire/wire-error.js'

const LENGTH_BYTES = 4
/** Key, version, correlation id and the length of the client id. */
const REQUEST_BYTES_MIN = 10
/** How long a client may take to close its side once we closed ours. */
const LINGER_MS = 1000

export interface ConnectionOptions {
  readonly broker: Broker
  readonly settings: KafkaListenerSettings
  readonly logger: Logger
  readonly warnings: LimitedWarnings
  readonly metrics: KafkaMetrics
  readonly budget: FrameBudget
  /** Name of the listener it came in by. */
  readonly listener: string | undefined
}

/**
 * One client connection, owner of its socket. Frames are read one after the other and their requests begun in that
 * order; a Produce request's bytes are handed over before the next frame is looked at. Everything after that runs side by
 * side, and responses leave in request order.
 *
 * Lifecycle: `run` once; it settles when nothing more will be read. `drain` ends it in peace, `destroy` at once.
 */
export class Connection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #input: SocketInput
  readonly #responses: ResponseQueue
  /** Aborted when no frame of this connection will be served any more. */
  readonly #closing = new AbortController()
  /** Aborted when nobody will wait for records any more: parked fetches answer at once. */
  readonly #departing = new AbortController()
  readonly #closed: Promise<void>
  readonly #fetchTurns = new FetchTurns()
  readonly #remoteAddress: string
  #running: Promise<void> = Promise.resolve()
  #draining = false
  /** As the last request's client id said. */
  #acrossZones = false
  /** The last serial response's way out. */
  #serialTurn: Promise<void> = Promise.resolve()

  constructor(socket: Socket, options: ConnectionOptions) {
    const { settings, metrics } = options
    this.#socket = socket
    this.#options = options
    this.#remoteAddress = socket.remoteAddress ?? ''
    this.#input = new SocketInput(socket)
    this.#responses = new ResponseQueue(socket, {
      stallTimeoutMs: settings.connectionIdleMs,
      wantedStallTimeoutMs: settings.responseStallTimeoutMs,
      isMemoryWanted: () => options.broker.reader.isAnswerMemoryWanted,
      onWritten: (bytes) => metrics.responseBytes(bytes, this.#acrossZones),
      onFailure: (error) => this.#fail(error),
    })
    // A fetch of many partitions listens once per read under way, and lets go when it is done.
    setMaxListeners(0, this.#closing.signal, this.#departing.signal)
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    // An error is followed by 'close', which is where things end; peers that vanish are nobody's fault.
    socket.on('error', () => {})
    socket.on('end', () => this.#departing.abort())
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#release()
        resolve()
      })
    })
  }

  run(): Promise<void> {
    this.#running = this.#serve()
    return this.#running
  }

  /** Reads no further frame, lets the requests already begun answer for at most `timeoutMs`, and closes. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true
    const timer = setTimeout(() => this.destroy(), timeoutMs)
    this.#input.end()
    this.#departing.abort()
    this.#closing.abort()
    // A request that is just being handed over still gets its answer.
    await Promise.race([this.#running, this.#closed])
    await this.#finish()
    clearTimeout(timer)
  }

  destroy(): void {
    this.#release()
    this.#socket.destroy()
  }

  // ---- frames

  async #serve(): Promise<void> {
    try {
      while (!this.#draining && (await this.#serveFrame())) {
        // Each turn serves a frame.
      }
    } catch (error) {
      // Closing aborts what this waits for; that is no failure.
      if (!this.#closing.signal.aborted) this.#report(error)
    }
    if (!this.#draining) await this.#finish()
  }

  /** Returns false when the client has ended, or been idle for too long. */
  async #serveFrame(): Promise<boolean> {
    const { settings, metrics, budget } = this.#options
    await this.#responses.drained(settings.pendingRequestsMax - 1)
    if (!(await this.#frameBegins())) return false
    const time: ReadTime = { leftMs: settings.requestReadTimeoutMs }
    if (!(await this.#complete(LENGTH_BYTES, time))) return false
    const bytes = this.#checkLength(this.#input.takeLength())
    const share = budget.open(bytes)
    try {
      if (!(await this.#completeWithin(share, time))) return false
      await this.#begin(this.#input.take(bytes))
      metrics.requestBytes(bytes, this.#acrossZones)
    } finally {
      share.release()
    }
    return !this.#closing.signal.aborted
  }

  async #frameBegins(): Promise<boolean> {
    for (;;) {
      const state = await this.#input.need(1, this.#options.settings.connectionIdleMs)
      if (state === 'ready') return true
      if (state === 'ended' || this.#responses.pending === 0) return false
    }
  }

  /** Reads the frame as its share of the memory grows. The time it waits for memory is not the client's. */
  async #completeWithin(share: FrameShare, time: ReadTime): Promise<boolean> {
    while (!share.isWhole) {
      if (!(await this.#complete(share.bytes, time))) return false
      await share.grow(this.#closing.signal)
    }
    const stallTimeoutMs = share.isCharged ? this.#options.settings.requestStallTimeoutMs : undefined
    return this.#complete(share.frameBytes, time, stallTimeoutMs)
  }

  /** @throws WireError when the client takes too long: a frame once begun must come whole. */
  async #complete(bytes: number, time: ReadTime, stallTimeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { budget, settings } = this.#options
    for (;;) {
      const { available } = this.#input
      const startedMs = performance.now()
      const state = await this.#input.need(bytes, Math.ceil(Math.max(0, Math.min(time.leftMs, stallTimeoutMs))))
      if (state !== 'timeout') {
        time.leftMs -= performance.now() - startedMs
        return state === 'ready'
      }
      time.leftMs -= Math.min(time.leftMs, stallTimeoutMs)
      if (time.leftMs <= 0) {
        const message = `Only ${this.#input.available} of ${bytes} bytes came within ${settings.requestReadTimeoutMs} ms`
        throw new WireError('FRAME_TOO_SHORT', message)
      }
      if (this.#input.available === available && budget.isContended) {
        const message = `Nothing came within ${stallTimeoutMs} ms after ${available} of ${bytes} bytes, while others waited for memory`
        throw new WireError('FRAME_TOO_SHORT', message)
      }
    }
  }

  #checkLength(bytes: number): number {
    const { requestBytesMax } = this.#options.settings
    if (bytes < REQUEST_BYTES_MIN) {
      throw new WireError('LENGTH_INVALID', `A request frame declares ${bytes} bytes; this is no Kafka client`)
    }
    if (bytes > requestBytesMax) {
      throw new WireError(
        'LENGTH_TOO_LARGE',
        `A request frame declares ${bytes} bytes, the limit is ${requestBytesMax}`,
      )
    }
    return bytes
  }

  // ---- requests

  async #begin(chunks: readonly Uint8Array[]): Promise<void> {
    const { broker, settings, logger, listener } = this.#options
    const reader = new WireReader(chunks, { elementsMax: settings.requestElementsMax })
    const { apiKey, version, correlationId } = decodeRequestFront(reader)
    if (apiKey === apiVersions.key && version > apiVersions.validVersions.max) {
      // How such a version's header and body look is not known; version 0 of the answer is what KIP-511 promises.
      const frame = encodeFrame(apiVersions, { version: 0, correlationId }, apiVersionsUnsupported)
      void this.#respond('ApiVersions', version, false, () => Promise.resolve(frame))
      return
    }
    const endpoint: Endpoint = endpointOf(apiKey, version)
    reader.flexible = isFlexible(endpoint.codec, version)
    const clientId = decodeRequestHeaderRest(reader)
    const client = { clientId, remoteAddress: this.#remoteAddress, ...(listener === undefined ? {} : { listener }) }
    this.#acrossZones = broker.cluster.isAcrossZones(client)
    let isSent = () => {}
    const sent = new Promise<void>((resolve) => {
      isSent = resolve
    })
    const context: RequestContext = {
      broker,
      settings,
      logger,
      client,
      fetchTurns: this.#fetchTurns,
      whenSent: (release) => void sent.then(release),
      signal: this.#departing.signal,
    }
    const respond = await endpoint.accept({ context, version, correlationId, reader, chunks })
    void this.#respond(endpoint.codec.name, version, endpoint.serial, respond).then(isSent)
  }

  /** Resolves when the response has left, or never will. */
  #respond(api: string, version: number, serial: boolean, respond: Respond): Promise<void> {
    const { metrics } = this.#options
    const startedMs = performance.now()
    const response: Promise<Frame> = serial ? this.#serialTurn.then(respond) : respond()
    const written = this.#responses.push(response)
    if (serial) this.#serialTurn = written
    return written.then(() => metrics.requestDone(api, version, performance.now() - startedMs))
  }

  // ---- the end

  /**
   * Lets pending responses out, then ends the connection. What the client still sends is read and dropped for a moment:
   * closing a socket with unread bytes would reset the connection and could take the last responses with it.
   */
  async #finish(): Promise<void> {
    this.#departing.abort()
    await this.#responses.drained(0)
    if (!this.#socket.destroyed) {
      this.#input.end()
      this.#socket.end()
      this.#socket.resume()
      const timer = setTimeout(() => this.destroy(), LINGER_MS)
      await this.#closed
      clearTimeout(timer)
    }
    this.destroy()
  }

  #fail(error: unknown): void {
    this.#report(error)
    this.destroy()
  }

  #report(error: unknown): void {
    const { logger, warnings, metrics } = this.#options
    metrics.connectionFailed()
    const fields = { remoteAddress: this.#remoteAddress, err: error }
    const reason = warningReasonOf(error)
    if (reason === undefined) {
      logger.error(fields, 'Closed a Kafka connection: a request failed and its API has no way to say so')
    } else {
      warnings.warn(reason, fields, `Closed a Kafka connection: ${(error as Error).message}`)
    }
  }

  #release(): void {
    this.#closing.abort()
    this.#departing.abort()
    this.#input.end()
    this.#responses.close()
  }
}

/** What a client has left to send its frame. */
interface ReadTime {
  leftMs: number
}

/** Undefined for what is no client's doing. */
function warningReasonOf(error: unknown): WarningReason | undefined {
  if (error instanceof WireError) return error.code
  if (error instanceof ResponseStalledError) return 'RESPONSE_STALLED'
  if (error instanceof UnacknowledgedError) return 'PRODUCE_UNACKNOWLEDGED'
  return undefined
}
