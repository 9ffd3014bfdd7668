import type { Logger } from '../engine/ports/logger.js'

/** Whatever holds something that must be given back. */
export interface Closable {
  close(): Promise<void>
}

/**
 * What has been opened, so that it can be closed in the opposite order: at shutdown, and when a later step of starting
 * fails. One that fails to close is logged and does not keep the others open.
 */
export class Closers {
  readonly #logger: Logger
  readonly #opened: { readonly name: string; readonly closable: Closable }[] = []
  #closing: Promise<void> | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add<T extends Closable>(name: string, closable: T): T {
    this.#opened.push({ name, closable })
    return closable
  }

  closeAll(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    for (const { name, closable } of this.#opened.reverse()) {
      try {
        await closable.close()
      } catch (error) {
        this.#logger.warn({ error }, `closing the ${name} failed`)
      }
    }
  }
}
