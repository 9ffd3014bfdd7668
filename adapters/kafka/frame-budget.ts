/**
 * Frames up to this size need no share of the budget: a connection's socket buffers hold as much anyway, and small
 * requests (fetches, metadata) must not wait behind producers that are being slowed down.
 */
export const FRAME_BYTES_FREE = 64 << 10
/** How far a share is ahead of what has arrived, at most. */
const STEP_BYTES_MAX = 1 << 20

/**
 * The memory all connections together may fill with request frames that no handler has consumed. A frame's share grows in
 * steps, each no larger than what has arrived of it: who declares much and sends little holds little.
 *
 * Shares that grow could fill the budget with beginnings of frames, none of which can be finished. So steps leave
 * `frameBytesMax` of the budget alone, and who finds no room for a step waits in order of arrival until the whole rest of its frame
 * fits: the first in line can always be finished once those before it are.
 */
export class FrameBudget {
  readonly #bytesMax: number
  readonly #stepBytesMax: number
  #bytesInUse = 0
  readonly #waiters = new Set<Waiter>()

  /** @param frameBytesMax largest frame; a larger one, or one larger than the budget, is finished when nothing else is held */
  constructor(bytesMax: number, frameBytesMax: number) {
    this.#bytesMax = bytesMax
    this.#stepBytesMax = Math.max(0, bytesMax - frameBytesMax)
  }

  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /** Whether a frame waits for memory that others hold. */
  get isContended(): boolean {
    return this.#waiters.size > 0
  }

  /** The share of one frame, which the caller releases. */
  open(frameBytes: number): FrameShare {
    return new FrameShare(frameBytes, this.#grow, (bytes) => {
      this.#bytesInUse -= bytes
      if (bytes > 0) this.#admit()
    })
  }

  /** Resolves to the bytes that the frame holds then. Rejects with the signal's reason when it is aborted first. */
  readonly #grow: Grow = async (claim, signal) => {
    signal.throwIfAborted()
    const granted = this.#waiters.size === 0 ? this.#grant(claim) : undefined
    return granted ?? this.#wait(claim, signal)
  }

  #wait(claim: Claim, signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        claim,
        admit: (bytes) => {
          signal.removeEventListener('abort', abort)
          resolve(bytes)
        },
      }
      const abort = () => {
        this.#waiters.delete(waiter)
        reject(signal.reason)
        // Those behind may fit where this one did not.
        this.#admit()
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #admit(): void {
    for (const waiter of this.#waiters) {
      const granted = this.#grant(waiter.claim)
      if (granted === undefined) return
      this.#waiters.delete(waiter)
      waiter.admit(granted)
    }
  }

  /** What the frame holds from now on; undefined when it must wait. */
  #grant({ heldBytes, stepBytes, frameBytes }: Claim): number | undefined {
    const others = this.#bytesInUse - heldBytes
    const bytes =
      others + stepBytes <= this.#stepBytesMax
        ? stepBytes
        : others === 0 || others + frameBytes <= this.#bytesMax
          ? frameBytes
          : undefined
    if (bytes !== undefined) this.#bytesInUse = others + bytes
    return bytes
  }
}

/** What one frame may hold of the budget. */
export class FrameShare {
  readonly frameBytes: number
  readonly #grow: Grow
  readonly #giveBack: (bytes: number) => void
  #bytes: number
  #chargedBytes = 0

  constructor(frameBytes: number, grow: Grow, giveBack: (bytes: number) => void) {
    this.frameBytes = frameBytes
    this.#bytes = Math.min(frameBytes, FRAME_BYTES_FREE)
    this.#grow = grow
    this.#giveBack = giveBack
  }

  /** How much of the frame may be read. */
  get bytes(): number {
    return this.#bytes
  }

  get isWhole(): boolean {
    return this.#bytes === this.frameBytes
  }

  /** Whether others may be waiting for what it holds. */
  get isCharged(): boolean {
    return this.#chargedBytes > 0
  }

  /** Makes room for more of the frame; the caller has read what there was room for. @throws the signal's reason */
  async grow(signal: AbortSignal): Promise<void> {
    const stepBytes = Math.min(this.frameBytes, 2 * this.#bytes, this.#bytes + STEP_BYTES_MAX)
    const claim = { heldBytes: this.#chargedBytes, stepBytes, frameBytes: this.frameBytes }
    this.#bytes = await this.#grow(claim, signal)
    this.#chargedBytes = this.#bytes
  }

  /** Idempotent. */
  release(): void {
    const bytes = this.#chargedBytes
    this.#chargedBytes = 0
    this.#giveBack(bytes)
  }
}

type Grow = (claim: Claim, signal: AbortSignal) => Promise<number>

interface Claim {
  readonly heldBytes: number
  /** What the frame would hold after one more step. */
  readonly stepBytes: number
  readonly frameBytes: number
}

interface Waiter {
  readonly claim: Claim
  readonly admit: (bytes: number) => void
}
