import type { PendingProduce, ProduceRequest, ProduceResult } from '../../engine/broker.js'
import type { SimulatedAgent } from './simulated-agent.js'
import type { World } from './world.js'

export interface ConnectionEvents {
  answered(request: number, results: readonly ProduceResult[]): void
  /** Nothing comes after this. Not called for a connection that the client closed itself. */
  lost(): void
}

/**
 * A client's connection to an agent, both ends: requests and answers travel in order and take their time. The agent's end
 * does as the Kafka listener does: it reads the next request once the one before is copied, and answers in order.
 */
export class Connection {
  readonly number: number
  readonly #arrived: { readonly request: number; readonly produce: ProduceRequest }[] = []
  readonly #forgetEnd: () => void
  #answers: Promise<void> = Promise.resolve()
  #lastArrivalMs = 0
  #lastAnswerMs = 0
  #serving = false
  #open = true
  #hungUp = false

  constructor(
    private readonly world: World,
    readonly agent: SimulatedAgent,
    private readonly events: ConnectionEvents,
  ) {
    this.number = world.nextNumber()
    this.#forgetEnd = agent.onEnd(() => this.#break())
  }

  send(request: number, produce: ProduceRequest): void {
    const { world } = this
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, world.clock.monotonicMs() + world.between(0.2, 5))
    world.clock.schedule(this.#lastArrivalMs - world.clock.monotonicMs(), () => {
      if (!this.agent.alive || this.#hungUp) return
      this.#arrived.push({ request, produce })
      void this.#serve()
    })
  }

  /** The client goes. What the agent has taken in is still worked on; what waits in the socket goes with it, a little later. */
  close(): void {
    this.#open = false
    this.#forgetEnd()
    this.world.clock.schedule(this.world.between(5, 40), () => {
      this.#hungUp = true
      this.#arrived.length = 0
    })
  }

  #break(): void {
    this.world.clock.schedule(this.world.between(0.2, 30), () => {
      if (!this.#open) return
      this.#open = false
      this.events.lost()
    })
  }

  async #serve(): Promise<void> {
    if (this.#serving) return
    this.#serving = true
    for (let head = this.#arrived.shift(); head !== undefined; head = this.#arrived.shift()) {
      this.world.boundary(this.agent)
      if (!this.agent.alive) return
      const { request, produce } = head
      const pending = await this.agent.intake.append(produce).catch(() => undefined)
      if (pending === undefined) return this.#break()
      const before = this.#answers
      this.#answers = this.#answer(request, pending, before)
    }
    this.#serving = false
  }

  async #answer(request: number, pending: PendingProduce, before: Promise<void>): Promise<void> {
    const { world } = this
    const results = await pending.results
    await before
    world.boundary(this.agent)
    if (!this.agent.alive) return
    this.#lastAnswerMs = Math.max(this.#lastAnswerMs, world.clock.monotonicMs() + world.between(0.2, 5))
    world.clock.schedule(this.#lastAnswerMs - world.clock.monotonicMs(), () => {
      if (this.#open) this.events.answered(request, results)
    })
  }
}
