import { HeadraceError } from '../errors.js'
import type { Metrics } from '../ports/metrics.js'

/**
 * The memory of the write path: shared buffers that the sockets' bytes are copied into and that workers read. Their sum
 * never passes `budgetBytes`, which makes this pool the agent's back-pressure: who finds no arena free waits, in the
 * order of asking, and does not read its socket meanwhile.
 *
 * Owner of an arena is whoever acquired it, until `release`. An arena that its owner said to `keep` then stays as it is for readers, up
 * to half of the budget, for as long as nobody needs the memory.
 */
export class ArenaPool {
  readonly #options: ArenaPoolOptions
  readonly #free: SharedArrayBuffer[] = []
  /** Released, and not reused yet because somebody may still read them; the oldest first. */
  readonly #kept: KeptArena[] = []
  readonly #waiters: Waiter[] = []
  #allocatedBytes = 0
  #inUseBytes = 0
  #keptBytes = 0
  #closed = false

  constructor(options: ArenaPoolOptions) {
    if (options.budgetBytes < options.arenaBytes) throw new Error('the arena budget is smaller than one arena')
    this.#options = options
    options.metrics.gauge('arena_bytes_max', options.budgetBytes)
  }

  get inUseBytes(): number {
    return this.#inUseBytes
  }

  get waiterCount(): number {
    return this.#waiters.length
  }

  /** An arena of at least `bytes` if one is free now and nobody waits for one. */
  tryAcquire(bytes: number): Arena | undefined {
    if (this.#closed || this.#waiters.length > 0) return undefined
    return this.#take(bytes)
  }

  /**
   * An arena of at least `bytes`, first come, first served.
   * @throws BATCH_TOO_LARGE when no amount of waiting could free that much, AGENT_CLOSING after `close`.
   */
  acquire(bytes: number): Promise<Arena> {
    if (this.#closed) return Promise.reject(closing())
    if (bytes > this.#options.budgetBytes) {
      return Promise.reject(
        new HeadraceError(
          'BATCH_TOO_LARGE',
          'never',
          `a request of ${bytes} bytes does not fit the ${this.#options.budgetBytes} bytes this agent may buffer; raise --memory or send less at once`,
        ),
      )
    }
    const arena = this.tryAcquire(bytes)
    if (arena !== undefined) return Promise.resolve(arena)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ bytes, resolve, reject })
      this.#report()
    })
  }

  /** Fails everybody who waits; arenas in use may still be released. */
  close(): void {
    this.#closed = true
    while (this.#reclaim());
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closing())
    this.#free.length = 0
  }

  #take(bytes: number): Arena | undefined {
    const { arenaBytes, budgetBytes } = this.#options
    const size = Math.max(bytes, arenaBytes)
    if (size === arenaBytes) {
      const buffer = this.#free.pop()
      if (buffer !== undefined) return this.#lend(buffer)
    }
    while (this.#allocatedBytes + size > budgetBytes) {
      if (this.#free.length === 0 && !this.#reclaim()) return undefined
      const buffer = this.#free.pop()
      if (buffer === undefined) continue
      if (size === arenaBytes) return this.#lend(buffer)
      this.#allocatedBytes -= arenaBytes
    }
    this.#allocatedBytes += size
    return this.#lend(new SharedArrayBuffer(size))
  }

  /** Takes the oldest kept arena from its readers; answers whether there was one. */
  #reclaim(): boolean {
    const oldest = this.#kept.shift()
    if (oldest === undefined) return false
    const { buffer, onReclaim } = oldest
    this.#keptBytes -= buffer.byteLength
    onReclaim()
    this.#setFree(buffer)
    return true
  }

  #lend(buffer: SharedArrayBuffer): Arena {
    this.#inUseBytes += buffer.byteLength
    this.#report()
    let released = false
    let onReclaim: (() => void) | undefined
    return {
      buffer,
      keep: (callback) => {
        onReclaim = callback
      },
      release: () => {
        if (released) throw new Error('an arena was released twice')
        released = true
        this.#giveBack(buffer, onReclaim)
      },
    }
  }

  #giveBack(buffer: SharedArrayBuffer, onReclaim: (() => void) | undefined): void {
    this.#inUseBytes -= buffer.byteLength
    if (onReclaim === undefined) this.#setFree(buffer)
    else this.#keep({ buffer, onReclaim })
    for (let head = this.#waiters[0]; head !== undefined; head = this.#waiters[0]) {
      const arena = this.#take(head.bytes)
      if (arena === undefined) break
      this.#waiters.shift()
      head.resolve(arena)
    }
    this.#report()
  }

  #keep(arena: KeptArena): void {
    this.#kept.push(arena)
    this.#keptBytes += arena.buffer.byteLength
    while (this.#keptBytes * 2 > this.#options.budgetBytes || (this.#closed && this.#kept.length > 0)) this.#reclaim()
  }

  #setFree(buffer: SharedArrayBuffer): void {
    // Only standard arenas stay: an oversized one would hold memory that no usual segment can use.
    if (buffer.byteLength === this.#options.arenaBytes && !this.#closed) this.#free.push(buffer)
    else this.#allocatedBytes -= buffer.byteLength
  }

  #report(): void {
    this.#options.metrics.gauge('arena_bytes_in_use', this.#inUseBytes)
    this.#options.metrics.gauge('arena_waiters', this.#waiters.length)
  }
}

export interface ArenaPoolOptions {
  /** Size of a standard arena: the segment's size. */
  readonly arenaBytes: number
  /** Sum of all arenas at most. */
  readonly budgetBytes: number
  readonly metrics: Metrics
}

export interface Arena {
  readonly buffer: SharedArrayBuffer
  /**
   * Its bytes are still worth reading once it is released, and stay until `onReclaim` is called: within `release`, or whenever
   * somebody else needs the memory.
   */
  keep(onReclaim: () => void): void
  /** Gives the arena back; unless it is kept its bytes may change at once. Exactly once. */
  release(): void
}

interface KeptArena {
  readonly buffer: SharedArrayBuffer
  readonly onReclaim: () => void
}

interface Waiter {
  readonly bytes: number
  resolve(arena: Arena): void
  reject(error: Error): void
}

function closing(): HeadraceError {
  return new HeadraceError('AGENT_CLOSING', 'safe', 'the agent is shutting down')
}
