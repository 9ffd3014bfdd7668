import { copyBytes } from '../../format/index.js'
import { abortable } from './abortable.js'

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

/** One answer gets this part of what is free, so that clients that do not take theirs leave something for all others. */
const FREE_PART = 1 / 4
/** Answers are not made smaller than this for it: small ones cost as much work as large ones. */
const BYTES_MIN = 1024 * 1024
const SLAB_BYTES = 256 * 1024

/**
 * The memory of answers to fetches. It is held until the client has taken the answer, which can be long: a consumer that is busy with its
 * records does not read its socket, and what the kernel does not hold for it stays here. Answers become smaller as memory
 * becomes scarce; where there is none they wait, in order.
 *
 * Answers are written into slabs that are used again and again. As memory of their own, freed by the collector, they made V8 mark its whole heap
 * six times a second, and left holes behind that the process never gave back.
 */
export class AnswerMemory {
  readonly #bytesMin: number
  readonly #waiters: Waiter[] = []
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
    return this.#waiters.length > 0
  }

  /** A share of at most `bytes`, now; undefined where that would mean to wait. */
  tryAcquire(bytes: number): AnswerShare | undefined {
    const least = this.#least(bytes)
    if (this.#waiters.length > 0 || least > this.#bytesFree) return undefined
    return this.#grant(bytes)
  }

  /** A share of at most `bytes`; waits its turn until there is memory. Rejects when `signal` aborts first. */
  async acquire(bytes: number, signal: AbortSignal): Promise<AnswerShare> {
    const share = this.tryAcquire(bytes)
    if (share !== undefined) return share
    let admit: Waiter['admit'] = () => {}
    const admitted = new Promise<AnswerShare>((resolve) => {
      admit = resolve
    })
    const waiter = { bytes, admit }
    this.#waiters.push(waiter)
    try {
      return await abortable(admitted, signal)
    } catch (error) {
      const place = this.#waiters.indexOf(waiter)
      // Admitted and aborted in the same turn: the share is ours already and must go back.
      if (place < 0) void admitted.then((granted) => granted.release())
      else {
        this.#waiters.splice(place, 1)
        this.#admit()
      }
      throw error
    }
  }

  get #bytesFree(): number {
    return this.bytesMax - this.#bytesHeld
  }

  #least(bytes: number): number {
    return Math.min(bytes, this.#bytesMin)
  }

  #grant(bytesWanted: number): AnswerShare {
    const bytes = Math.min(bytesWanted, Math.max(this.#least(bytesWanted), Math.floor(this.#bytesFree * FREE_PART)))
    this.#bytesHeld += bytes
    return new Share(bytes, {
      newSlab: (bytesMax) => this.#newSlab(bytesMax),
      changed: (bytesMore) => {
        this.#bytesHeld += bytesMore
        this.#admit()
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

  #admit(): void {
    for (let next = this.#waiters[0]; next !== undefined; next = this.#waiters[0]) {
      if (this.#least(next.bytes) > this.#bytesFree) return
      this.#waiters.shift()
      next.admit(this.#grant(next.bytes))
    }
  }
}

interface Waiter {
  readonly bytes: number
  readonly admit: (share: AnswerShare) => void
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
