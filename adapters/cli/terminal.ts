/** The process as commands that stream see it: where records come from and go to, and the wish to stop. */
export interface Terminal {
  readonly input: AsyncIterable<Uint8Array>
  /** Resolves when the reader has room for more. Nothing is written once it has gone away. */
  write(text: string | Uint8Array): Promise<void>
  /** For people: progress, counts, warnings. */
  note(text: string): void
  /** Whether a person watches the notes. */
  readonly isWatched: boolean
  /**
   * Aborts when the process is asked to end, or nobody reads its output any more. Who looks at it takes over from the signals'
   * own way of ending the process.
   */
  readonly stopped: AbortSignal
}

export function processTerminal(): Terminal {
  return new ProcessTerminal()
}

class ProcessTerminal implements Terminal {
  readonly #stop = new AbortController()
  #watchesSignals = false
  #watchesOutput = false

  get input(): AsyncIterable<Uint8Array> {
    return process.stdin
  }

  get isWatched(): boolean {
    return process.stderr.isTTY === true
  }

  get stopped(): AbortSignal {
    if (!this.#watchesSignals) {
      this.#watchesSignals = true
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => this.#stop.abort())
    }
    return this.#stop.signal
  }

  note(text: string): void {
    process.stderr.write(text)
  }

  async write(text: string | Uint8Array): Promise<void> {
    if (!this.#watchesOutput) {
      this.#watchesOutput = true
      // `headrace consume … | head`: the end of the pipe is no failure.
      process.stdout.on('error', () => this.#stop.abort())
    }
    if (process.stdout.destroyed || process.stdout.write(text)) return
    await new Promise<void>((resolve) => {
      const events = ['drain', 'error', 'close'] as const
      const done = () => {
        for (const event of events) process.stdout.off(event, done)
        resolve()
      }
      for (const event of events) process.stdout.on(event, done)
    })
  }
}
