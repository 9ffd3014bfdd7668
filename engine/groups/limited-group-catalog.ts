import { HeadraceError } from '../errors.js'
import type { CancelTimer, Clock } from '../ports/clock.js'
import type { GroupCatalog } from '../ports/group-catalog.js'

export interface TurnLimits {
  /** Calls under way at a time. */
  readonly concurrencyMax: number
  /** Calls that wait. */
  readonly waitingMax: number
  readonly waitMaxMs: number
}

const DEFAULT_LIMITS: TurnLimits = { concurrencyMax: 4, waitingMax: 10_000, waitMaxMs: 8_000 }

/**
 * Groups take turns at the catalog: at most `concurrencyMax` calls at a time; the others wait in the order they came. Groups
 * share the catalog's few connections with the commits of producers and the agent's own heartbeat; when a thousand of
 * them are taken over at once, those must not wait behind them. Who would wait too long is refused: a client that is
 * answered in time comes back, one that is not takes the agent for dead.
 */
export class LimitedGroupCatalog implements GroupCatalog {
  readonly #catalog: GroupCatalog
  readonly #clock: Clock
  readonly #limits: TurnLimits
  /** In the order they came. */
  readonly #waiting = new Set<{ readonly admit: () => void; readonly cancel: CancelTimer }>()
  #running = 0

  constructor(catalog: GroupCatalog, clock: Clock, limits: TurnLimits = DEFAULT_LIMITS) {
    this.#catalog = catalog
    this.#clock = clock
    this.#limits = limits
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
    if (this.#running < this.#limits.concurrencyMax) this.#running += 1
    else await this.#turn()
    try {
      return await call()
    } finally {
      // The place goes from hand to hand, so that nobody who comes now gets before those who wait.
      const [next] = this.#waiting
      if (next) next.admit()
      else this.#running -= 1
    }
  }

  #turn(): Promise<void> {
    const { waitingMax, waitMaxMs } = this.#limits
    if (this.#waiting.size >= waitingMax) throw tooSlow()
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter)
        waiter.cancel()
      }
      const admit = () => {
        leave()
        resolve()
      }
      const refuse = () => {
        leave()
        reject(tooSlow())
      }
      const waiter = { admit, cancel: this.#clock.schedule(waitMaxMs, refuse) }
      this.#waiting.add(waiter)
    })
  }
}

function tooSlow(): HeadraceError {
  const text = 'too many consumer groups wait for the catalog; it is slow, or away'
  return new HeadraceError('CATALOG_UNAVAILABLE', 'safe', text)
}
