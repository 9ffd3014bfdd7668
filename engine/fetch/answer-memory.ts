import { copyBytes } from '../../format/index.js'
import { GrantQueue } from './grant-queue.js'

/** Memory of one answer, from before it is read until it has left for its client. */
export interface AnswerShare {
  /** What the answer may take. */
  readonly bytes: number
  /** Copies `source` into the answer, behind what is there, and adds where it lies to `chunks`. A single batch may be larger than `bytes`. */
  append(source: Uint8Array, chunks: Uint8Array[]): void
  /** Nothing more will be appended: what was granted and not needed goes back. */
  settle(): void
  /** The chunks may change from now on. May be called twice. */
  release(): void
}

/** One answer gets a quarter of what is free at most, so that clients that do not take theirs leave something for all others. */
const PARTS_MIN = 4
const SLAB_BYTES = 256 * 1024
/** Answers are not made smaller than this for it: small ones cost as much work as large ones. */
const BYTES_FAIR = 1024 * 1024
/** Nor than this where others wait for the same memory. The kernel takes so much for a client that reads nothing. */
const BYTES_MIN = SLAB_BYTES

/**
 * The memory of answers to fetches. It is held until the client has taken the answer, which can be long: a consumer that is busy with its
 * records does not read its socket, and what the kernel does not hold for it stays here. Answers become smaller as memory
 * becomes scarce; where there is none they wait, in order, and what becomes free is divided among all that wait: were it given to
 * the first ones, and these took none of it, the others would wait as long again.
 *
 * Answers are written into slabs that are used again and again. As memory of their own, freed by the collector, they made V8 mark its whole heap
 * six times a second, and left holes behind that the process never gave back.
 */
export class AnswerMemory {
  readonly #bytesMin: number
  readonly #queue = new GrantQueue<AnswerShare>({
    grant: (bytes) => this.#grant(bytes),
    giveBack: (share) => share.release(),
  })
  readonly #freeSlabs: Uint8Array[] = []
  #bytesHeld = 0

  constructor(readonly bytesMax: number) {
    this.#bytesMin = Math.min(BYTES_MIN, Math.floor(bytesMax / 16))
  }

  get bytesHeld(): number {
    return this.#bytesHeld
  }

  /** Whether somebody waits: who holds memory without need should be parted from it. */
  get isWanted(): boolean {
    return !this.#queue.isEmpty
  }

  /** A share of at most `bytes`, now; undefined where that would mean to wait. */
  tryAcquire(bytes: number): AnswerShare | undefined {
    return this.#queue.tryAcquire(bytes)
  }

  /** A share of at most `bytes`; waits its turn until there is memory. Rejects when `signal` aborts first. */
  acquire(bytes: number, signal: AbortSignal): Promise<AnswerShare> {
    return this.#queue.acquire(bytes, signal)
  }

  #grant(bytesWanted: number): AnswerShare | undefined {
    const bytesFree = this.bytesMax - this.#bytesHeld
    const least = Math.min(bytesWanted, this.#bytesMin)
    if (least > bytesFree) return undefined
    const waitingCount = this.#queue.length
    const part = Math.floor(bytesFree / Math.max(PARTS_MIN, waitingCount))
    const fair = Math.min(BYTES_FAIR, Math.floor(bytesFree / Math.max(1, waitingCount)))
    const bytes = Math.min(bytesWanted, Math.max(least, part, fair))
    this.#bytesHeld += bytes
    return new Share(bytes, {
      newSlab: (bytesMax) => this.#newSlab(bytesMax),
      changed: (bytesMore) => {
        this.#bytesHeld += bytesMore
        this.#queue.admit()
      },
      giveBack: (slab) => this.#giveBack(slab),
    })
  }

  /** Small answers take no slab. */
  #newSlab(bytesMax: number): Uint8Array {
    if (bytesMax < SLAB_BYTES) return new Uint8Array(bytesMax)
    return this.#freeSlabs.pop() ?? new Uint8Array(SLAB_BYTES)
  }

  #giveBack(slab: Uint8Array): void {
    const isKept = slab.byteLength === SLAB_BYTES && (this.#freeSlabs.length + 1) * SLAB_BYTES <= this.bytesMax
    if (isKept) this.#freeSlabs.push(slab)
  }
}

interface ShareOwner {
  newSlab(bytesMax: number): Uint8Array
  /** It holds so much more, or less, than before. */
  changed(bytesMore: number): void
  giveBack(slab: Uint8Array): void
}

class Share implements AnswerShare {
  readonly #slabs: Uint8Array[] = []
  #slabBytes = 0
  /** Of the last slab. */
  #used = 0
  #held: number

  constructor(
    readonly bytes: number,
    private readonly owner: ShareOwner,
  ) {
    this.#held = bytes
  }

  append(source: Uint8Array, chunks: Uint8Array[]): void {
    for (let copied = 0; copied < source.byteLength; ) {
      const slab = this.#slabWithRoom()
      const bytes = Math.min(slab.byteLength - this.#used, source.byteLength - copied)
      copyBytes(source.subarray(copied, copied + bytes), slab, this.#used)
      const start = this.#used
      this.#used += bytes
      copied += bytes
      const last = chunks.at(-1)
      // Neighbours leave as one chunk.
      if (last?.buffer !== slab.buffer || last.byteOffset + last.byteLength !== slab.byteOffset + start) {
        chunks.push(slab.subarray(start, this.#used))
      } else {
        chunks[chunks.length - 1] = new Uint8Array(slab.buffer, last.byteOffset, last.byteLength + bytes)
      }
    }
  }

  settle(): void {
    this.#hold(this.#slabBytes)
  }

  release(): void {
    for (const slab of this.#slabs.splice(0)) this.owner.giveBack(slab)
    this.#slabBytes = 0
    this.#hold(0)
  }

  #slabWithRoom(): Uint8Array {
    const last = this.#slabs.at(-1)
    if (last !== undefined && this.#used < last.byteLength) return last
    const slab = this.owner.newSlab(this.#slabs.length === 0 ? this.bytes : SLAB_BYTES)
    this.#slabs.push(slab)
    this.#slabBytes += slab.byteLength
    this.#used = 0
    return slab
  }

  #hold(bytes: number): void {
    const bytesMore = bytes - this.#held
    this.#held = bytes
    if (bytesMore !== 0) this.owner.changed(bytesMore)
  }
}
