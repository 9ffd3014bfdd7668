import type { Socket } from 'node:net'

/** Chunks smaller than this are joined, so that a sender of single bytes cannot make us hold an object for each. */
const CHUNK_BYTES_JOINED = 1024
const LENGTH_BYTES = 4

export type InputState = 'ready' | 'timeout' | 'ended'

/**
 * A socket's bytes, pulled: the socket runs only while someone waits for bytes, and stands still otherwise, which is what
 * carries back-pressure to the client. What arrives beyond the bytes waited for is at most what the socket had read already.
 *
 * One reader at a time.
 */
export class SocketInput {
  readonly #socket: Socket
  #chunks: Uint8Array[] = []
  #available = 0
  #ended = false
  #bytesWanted = 0
  #wake: ((state: InputState) => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
    socket.on('end', () => this.end())
    socket.on('close', () => this.end())
    socket.pause()
  }

  get available(): number {
    return this.#available
  }

  /** Waits until `bytes` are there. 'ended' says that they never will be. */
  need(bytes: number, timeoutMs: number): Promise<InputState> | InputState {
    if (this.#available >= bytes) return 'ready'
    if (this.#ended) return 'ended'
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle('timeout'), timeoutMs)
      this.#bytesWanted = bytes
      this.#wake = (state) => {
        clearTimeout(timer)
        resolve(state)
      }
      this.#socket.resume()
    })
  }

  /** The next 4 bytes, which must be there, as a big-endian signed number. */
  takeLength(): number {
    const [first] = this.#chunks
    const chunks = this.take(LENGTH_BYTES)
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    if (first === undefined) throw new RangeError('The length is not there yet')
    return new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getInt32(0)
  }

  /** The next `bytes`, which must be there, as the socket cut them. */
  take(bytes: number): Uint8Array[] {
    if (bytes > this.#available) throw new RangeError(`${bytes} bytes are wanted, ${this.#available} are there`)
    const taken: Uint8Array[] = []
    let left = bytes
    let count = 0
    while (left > 0) {
      const chunk = this.#chunks[count]!
      if (chunk.byteLength > left) {
        taken.push(chunk.subarray(0, left))
        this.#chunks[count] = chunk.subarray(left)
        break
      }
      taken.push(chunk)
      left -= chunk.byteLength
      count += 1
    }
    this.#chunks.splice(0, count)
    this.#available -= bytes
    return taken
  }

  /** Nothing more will be waited for: the peer ended, or we want no more of it. */
  end(): void {
    this.#ended = true
    this.#settle('ended')
  }

  #push(chunk: Uint8Array): void {
    if (this.#ended) return
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.byteLength + chunk.byteLength <= CHUNK_BYTES_JOINED) {
      this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, chunk])
    } else {
      this.#chunks.push(chunk)
    }
    this.#available += chunk.byteLength
    if (this.#available >= this.#bytesWanted) this.#settle('ready')
  }

  #settle(state: InputState): void {
    const wake = this.#wake
    if (wake === undefined) return
    this.#wake = undefined
    this.#bytesWanted = 0
    this.#socket.pause()
    wake(state)
  }
}
