import type { ProducerIdAllocator } from '../broker.js'
import type { Catalog } from '../ports/catalog.js'

/** Ids come from the catalog in blocks, so that a storm of new producers is not a storm of transactions. */
const BLOCK_SIZE = 1000

export class BlockProducerIds implements ProducerIdAllocator {
  readonly #catalog: Catalog
  #next = 0
  #end = 0
  #loading: Promise<void> | undefined

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined
      })
      await this.#loading
    }
    return this.#next++
  }

  async #load(): Promise<void> {
    const first = await this.#catalog.allocateProducerIds(BLOCK_SIZE)
    this.#next = first
    this.#end = first + BLOCK_SIZE
  }
}
