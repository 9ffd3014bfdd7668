import { connect, type Socket } from 'node:net'
import { WireReader } from '../../../adapters/kafka/wire/reader.js'
import { WireWriter } from '../../../adapters/kafka/wire/writer.js'
import { join } from './bytes.js'
import { type ApiName, clientCodecs } from './client-codec.js'

const LENGTH_BYTES = 4
const RECEIVE_TIMEOUT_MS = 5000

/** A request frame, its length included. */
export function requestFrame(api: ApiName, version: number, correlationId: number, request: object): Uint8Array {
  const codec = clientCodecs[api]
  const writer = new WireWriter()
  writer.i16(codec.key)
  writer.i16(version)
  writer.i32(correlationId)
  writer.nullableShortString('raw-client')
  writer.flexible = version >= codec.flexibleFrom
  writer.tags()
  codec.encodeRequest(writer, request, version)
  return join(writer.finish())
}

/** A client over a real socket, to say what well-behaved clients do not say. */
export class RawClient {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #closed = false
  #wake: () => void = () => {}
  #correlationId = 0

  private constructor(
    socket: Socket,
    private readonly receiveTimeoutMs: number,
  ) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('error', () => {})
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#closed = true
        this.#wake()
      })
    }
  }

  static open(
    port: number,
    options: { host?: string; allowHalfOpen?: boolean; receiveTimeoutMs?: number } = {},
  ): Promise<RawClient> {
    const { receiveTimeoutMs = RECEIVE_TIMEOUT_MS, ...connection } = options
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', ...connection }, () => {
        resolve(new RawClient(socket, receiveTimeoutMs))
      })
      socket.once('error', reject)
    })
  }

  /** Resolves when the system has taken the bytes. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()))
  }

  /** Sends a request and returns its correlation id. */
  begin(api: ApiName, version: number, request: object): number {
    this.#correlationId += 1
    void this.send(requestFrame(api, version, this.#correlationId, request))
    return this.#correlationId
  }

  // biome-ignore lint/suspicious/noExplicitAny: responses are compared with literals
  async request(api: ApiName, version: number, request: object): Promise<any> {
    const correlationId = this.begin(api, version, request)
    const frame = await this.receive()
    if (frame === undefined) throw new Error('The connection was closed')
    return decodeFrame(api, version, frame, correlationId)
  }

  /** The next response frame without its length; undefined once the connection is closed. */
  async receive(): Promise<Uint8Array | undefined> {
    const deadlineMs = performance.now() + this.receiveTimeoutMs
    for (;;) {
      if (this.#received.byteLength >= LENGTH_BYTES) {
        const end = LENGTH_BYTES + this.#received.readInt32BE(0)
        if (this.#received.byteLength >= end) {
          const frame = new Uint8Array(this.#received.subarray(LENGTH_BYTES, end))
          this.#received = this.#received.subarray(end)
          return frame
        }
      }
      if (this.#closed) return undefined
      await this.#wait(deadlineMs)
    }
  }

  /** Resolves once the peer has closed; what it sent before is still there. */
  async closed(): Promise<void> {
    const deadlineMs = performance.now() + this.receiveTimeoutMs
    while (!this.#closed) await this.#wait(deadlineMs)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #wait(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('Nothing came from the listener')),
        deadlineMs - performance.now(),
      )
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
    })
  }
}

export function correlationIdOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getInt32(0)
}

// biome-ignore lint/suspicious/noExplicitAny: responses are compared with literals
export function decodeFrame(api: ApiName, version: number, frame: Uint8Array, correlationId: number): any {
  const codec = clientCodecs[api]
  const reader = new WireReader([frame])
  const received = reader.i32()
  if (received !== correlationId) throw new Error(`Response ${received} came for request ${correlationId}`)
  reader.flexible = version >= codec.flexibleFrom && codec.responseHeaderFlexible
  reader.tags()
  reader.flexible = version >= codec.flexibleFrom
  const response = codec.decodeResponse(reader, version)
  if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes of the response were left unread`)
  return response
}
