import { abortable } from './abortable.js'

export interface Granting<T> {
  /** Gives `bytes` of what there is; undefined where that is too little, and then whoever comes next waits, too. */
  grant(bytes: number): T | undefined
  /** Takes back what came in the moment its asker gave up. */
  giveBack(granted: T): void
}

/** Hands out something scarce in the order of asking: who gets nothing at once waits for `admit`, and nobody overtakes who waits. */
export class GrantQueue<T> {
  readonly #waiters: { readonly bytes: number; readonly admit: (granted: T) => void }[] = []

  constructor(private readonly granting: Granting<T>) {}

  get isEmpty(): boolean {
    return this.#waiters.length === 0
  }

  /** How many wait, with the one that is about to be granted something. */
  get length(): number {
    return this.#waiters.length
  }

  /** Without waiting; undefined where that is not possible. */
  tryAcquire(bytes: number): T | undefined {
    return this.isEmpty ? this.granting.grant(bytes) : undefined
  }

  /** Rejects when `signal` aborts first. */
  async acquire(bytes: number, signal: AbortSignal): Promise<T> {
    return this.tryAcquire(bytes) ?? this.#wait(bytes, signal)
  }

  /** To be called when there may be more to give. */
  admit(): void {
    for (let next = this.#waiters[0]; next !== undefined; next = this.#waiters[0]) {
      const granted = this.granting.grant(next.bytes)
      if (granted === undefined) return
      this.#waiters.shift()
      next.admit(granted)
    }
  }

  async #wait(bytes: number, signal: AbortSignal): Promise<T> {
    let admit: (granted: T) => void = () => {}
    const admitted = new Promise<T>((resolve) => {
      admit = resolve
    })
    const waiter = { bytes, admit }
    this.#waiters.push(waiter)
    try {
      return await abortable(admitted, signal)
    } catch (error) {
      const place = this.#waiters.indexOf(waiter)
      if (place < 0) void admitted.then((granted) => this.granting.giveBack(granted))
      else {
        this.#waiters.splice(place, 1)
        // Who stood behind may want less.
        this.admit()
      }
      throw error
    }
  }
}
