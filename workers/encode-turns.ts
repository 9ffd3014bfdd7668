/**
 * Lets the encodings of one worker run one after the other, each in steps between which the worker's uploads get on: an upload is a
 * chain of short answers to the operating system, and each of them would wait for a whole segment to be encoded.
 */
export class EncodeTurns {
  #last: Promise<unknown> = Promise.resolve()

  /** Starts once those before it have ended; rejects with what the steps throw. */
  run<T>(begin: () => Generator<void, T, undefined>): Promise<T> {
    const result = this.#last.then(() => inSteps(begin()))
    this.#last = result.catch(() => {})
    return result
  }
}

async function inSteps<T>(steps: Generator<void, T, undefined>): Promise<T> {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value
    await new Promise((resolve) => setImmediate(resolve))
  }
}
