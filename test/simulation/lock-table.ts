import { HeadraceError } from '../../engine/errors.js'
import type { World } from './world.js'

const LOCK_WAIT_MAX_MS = 800

/** Row locks of the simulated database: first come, first served, with a bounded wait. */
export class LockTable {
  readonly #waiters = new Map<string, (() => void)[]>()

  constructor(private readonly world: World) {}

  /** The locks of one transaction. */
  hold(): { lock(key: string): Promise<void>; release(): void } {
    const held: string[] = []
    return {
      lock: async (key) => {
        await this.#acquire(key)
        held.push(key)
      },
      release: () => {
        for (const key of held.splice(0)) this.#release(key)
      },
    }
  }

  #acquire(key: string): Promise<void> {
    const waiters = this.#waiters.get(key)
    if (waiters === undefined) {
      this.#waiters.set(key, [])
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        cancel()
        resolve()
      }
      const cancel = this.world.clock.schedule(LOCK_WAIT_MAX_MS, () => {
        waiters.splice(waiters.indexOf(admit), 1)
        reject(new HeadraceError('CATALOG_CONFLICT', 'safe', `waited ${LOCK_WAIT_MAX_MS} ms for a lock`))
      })
      waiters.push(admit)
    })
  }

  #release(key: string): void {
    const next = this.#waiters.get(key)?.shift()
    if (next === undefined) this.#waiters.delete(key)
    else next()
  }
}
