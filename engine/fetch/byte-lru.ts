/**
 * Values under a byte budget; the least recently used go first, unless who keeps them knows better. A value larger than the budget is not kept at all.
 * The weight of a value is told when it is put and never changes.
 */
export class ByteLru<V> {
  // A Map iterates in insertion order; `get` re-inserts, so the first entry is the least recently used one.
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>()
  #bytes = 0

  constructor(
    readonly bytesMax: number,
    /** Which of the keys, least recently used first and never none, makes room. */
    private readonly victimOf?: (keys: Iterable<string>) => string | undefined,
  ) {}

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Least recently used first. */
  keys(): Iterable<string> {
    return this.#entries.keys()
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  put(key: string, value: V, bytes: number): void {
    this.delete(key)
    if (bytes > this.bytesMax) return
    this.#entries.set(key, { value, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.bytesMax) {
      const [oldest] = this.#entries.keys()
      const victim = this.victimOf?.(this.#entries.keys())
      if (victim !== undefined && this.delete(victim)) continue
      if (oldest === undefined || !this.delete(oldest)) break
    }
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}
