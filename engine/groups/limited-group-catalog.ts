import { HeadraceError } from '../errors.js'
import type { GroupCatalog } from '../ports/group-catalog.js'

/**
 * Groups take turns at the catalog: at most `concurrencyMax` calls at a time, the others wait in the order they came. Groups
 * share the catalog's few connections with the commits of producers and the agent's own heartbeat; when a thousand of
 * them are taken over at once, those must not wait behind them. Where too many wait, the next is refused.
 */
export class LimitedGroupCatalog implements GroupCatalog {
  readonly #catalog: GroupCatalog
  readonly #concurrencyMax: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(catalog: GroupCatalog, concurrencyMax = 4, waitingMax = 10_000) {
    this.#catalog = catalog
    this.#concurrencyMax = concurrencyMax
    this.#waitingMax = waitingMax
  }

  claimGroup(...args: Parameters<GroupCatalog['claimGroup']>) {
    return this.#inTurn(() => this.#catalog.claimGroup(...args))
  }

  saveGroup(...args: Parameters<GroupCatalog['saveGroup']>) {
    return this.#inTurn(() => this.#catalog.saveGroup(...args))
  }

  commitGroupOffsets(...args: Parameters<GroupCatalog['commitGroupOffsets']>) {
    return this.#inTurn(() => this.#catalog.commitGroupOffsets(...args))
  }

  readGroupOffsets(...args: Parameters<GroupCatalog['readGroupOffsets']>) {
    return this.#inTurn(() => this.#catalog.readGroupOffsets(...args))
  }

  deleteGroupOffsets(...args: Parameters<GroupCatalog['deleteGroupOffsets']>) {
    return this.#inTurn(() => this.#catalog.deleteGroupOffsets(...args))
  }

  deleteGroup(...args: Parameters<GroupCatalog['deleteGroup']>) {
    return this.#inTurn(() => this.#catalog.deleteGroup(...args))
  }

  listGroups() {
    return this.#inTurn(() => this.#catalog.listGroups())
  }

  expireGroups(...args: Parameters<GroupCatalog['expireGroups']>) {
    return this.#inTurn(() => this.#catalog.expireGroups(...args))
  }

  expireGroupOffsets(...args: Parameters<GroupCatalog['expireGroupOffsets']>) {
    return this.#inTurn(() => this.#catalog.expireGroupOffsets(...args))
  }

  async #inTurn<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#concurrencyMax) this.#running += 1
    else await this.#turn()
    try {
      return await call()
    } finally {
      // The place goes from hand to hand, so that nobody who comes now gets before those who wait.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      const text = 'too many consumer groups wait for the catalog; it is slow, or away'
      throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', text)
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }
}
