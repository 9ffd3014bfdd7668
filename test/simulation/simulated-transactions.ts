import type { Session } from './catalog-database.js'
import { catalogFailure, type Life, never, type World } from './world.js'

/**
 * An agent's transactions: the connection breaks at any statement, COMMIT among them, and a transaction may go on without its
 * client.
 */
export class SimulatedTransactions {
  constructor(
    private readonly world: World,
    private readonly life: Life,
  ) {}

  async run<T>(name: string, transaction: (session: Session) => Promise<T>): Promise<T> {
    const { world, life } = this
    world.boundary(life)
    if (!life.alive) return never()
    const fate = world.fate(world.statementMs)
    if (fate.kind !== 'ok') world.history.add({ kind: 'call', agent: life.name, call: name, fate: fate.kind })
    const answer = transaction(this.#session(fate.kind === 'before'))
    // The client may lose patience while the database still works on it, or waits for a lock.
    const patienceMs = fate.kind === 'after' ? world.between(0, 40) : Number.POSITIVE_INFINITY
    const outcome = await this.#await(name, answer, patienceMs)
    await world.sleep(fate.responseMs)
    world.boundary(life)
    if (!life.alive) return never()
    return outcome()
  }

  #await<T>(name: string, answer: Promise<T>, patienceMs: number): Promise<() => T> {
    return new Promise((resolve) => {
      const lost = () =>
        resolve(() => {
          throw catalogFailure('after', `${name}: no answer`)
        })
      if (Number.isFinite(patienceMs)) this.world.clock.schedule(patienceMs, lost)
      answer.then(
        (value) => {
          if (!Number.isFinite(patienceMs)) resolve(() => value)
        },
        (error) => {
          resolve(() => {
            throw error
          })
        },
      )
    })
  }

  /** `fails`: the connection breaks at one of the statements; at COMMIT nobody learns whether it was before or after. */
  #session(fails: boolean): Session {
    const { world, life } = this
    const failsAt = fails ? world.int(5) : -1
    let statement = 0
    const travel = async () => {
      world.boundary(life)
      const rollsBack = !life.alive
      await world.sleep(world.between(0.1, world.statementMs))
      if (rollsBack) throw catalogFailure('before', 'the client has gone')
    }
    return {
      statement: async () => {
        await travel()
        if (statement++ === failsAt) throw catalogFailure('before', 'connection lost')
      },
      commit: async () => {
        await travel()
        if (failsAt >= 3) throw catalogFailure('after', 'connection lost at COMMIT, which did not come')
      },
    }
  }
}
