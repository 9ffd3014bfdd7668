import { isHeadraceError } from '../../engine/errors.js'
import { withoutCredentials } from '../config/index.js'

/** Named conditions of being useful. Each throws, or rejects, with the reason when it does not hold. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<void> | void>>

/** Answers the reasons why the agent is not ready; none means ready. Never rejects. */
export type Readiness = () => Promise<readonly string[]>

/**
 * Runs all checks side by side, each within `timeoutMs`. Callers that come while a round is under way share it, so that
 * probes cannot pile up on a database that does not answer.
 */
export function createReadiness(checks: ReadinessChecks, timeoutMs = 2_000): Readiness {
  let round: Promise<readonly string[]> | undefined
  const run = async () => {
    const reasons = await Promise.all(Object.entries(checks).map(([name, check]) => reasonOf(name, check, timeoutMs)))
    return reasons.filter((reason) => reason !== undefined)
  }
  return () => {
    round ??= run().finally(() => {
      round = undefined
    })
    return round
  }
}

async function reasonOf(
  name: string,
  check: () => Promise<void> | void,
  timeoutMs: number,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  try {
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    })
    await Promise.race([check(), timeout])
    return undefined
  } catch (error) {
    return `${name}: ${withoutCredentials(error instanceof Error ? error.message : String(error))}`
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What the last request to the object store said. No probe: an idle agent makes no request that costs money, so
 * readiness goes by real traffic. A failure is held against the store for `memoryMs` and no longer: an agent that is out
 * of rotation gets no traffic, and would otherwise never find out that the store is back.
 */
export class ObjectStoreHealth {
  readonly #memoryMs: number
  readonly #nowMs: () => number
  #failure: { readonly error: Error; readonly atMs: number } | undefined

  constructor(memoryMs = 30_000, nowMs: () => number = () => performance.now()) {
    this.#memoryMs = memoryMs
    this.#nowMs = nowMs
  }

  succeeded(): void {
    this.#failure = undefined
  }

  /** Only failures of the store count; that an object is missing, say, is an answer. */
  failed(error: unknown): void {
    if (isStoreFailure(error)) this.#failure = { error, atMs: this.#nowMs() }
  }

  /** Settles as `request` does, and remembers how. */
  async watch<T>(request: Promise<T>): Promise<T> {
    try {
      const result = await request
      this.succeeded()
      return result
    } catch (error) {
      this.failed(error)
      throw error
    }
  }

  /** A readiness check. */
  check(): void {
    if (this.#failure !== undefined && this.#nowMs() - this.#failure.atMs < this.#memoryMs) throw this.#failure.error
  }
}

function isStoreFailure(error: unknown): error is Error {
  return (
    isHeadraceError(error, 'OBJECT_STORE_UNAVAILABLE') ||
    isHeadraceError(error, 'OBJECT_STORE_TIMEOUT') ||
    isHeadraceError(error, 'OBJECT_STORE_THROTTLED') ||
    isHeadraceError(error, 'OBJECT_STORE_DENIED')
  )
}
