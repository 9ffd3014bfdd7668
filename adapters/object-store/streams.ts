/**
 * Iterates `body`, but rejects as soon as `signal` aborts, even while `body` has nothing to give: an abandoned upload
 * must not wait for a source that stalled. The source is closed either way.
 */
export async function* abortable(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* body
    return
  }
  signal.throwIfAborted()
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  aborted.catch(() => {})
  const iterator = body[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), aborted])
      if (step.done) {
        ended = true
        return
      }
      yield step.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a stalled source would hold up the very abort it is told of.
    if (!ended) iterator.return?.()?.then(undefined, () => {})
  }
}
