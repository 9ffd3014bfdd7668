/**
 * Lets long pieces of work run one in each turn of the event loop, so that timers and sockets come in between. `setImmediate` alone does
 * not: all that wait by it run in one phase of the same turn.
 */
export class EventLoopTurns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves in a turn of its own, in the order of asking. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => new Promise<void>((resolve) => setImmediate(resolve)))
    return this.#last
  }
}
