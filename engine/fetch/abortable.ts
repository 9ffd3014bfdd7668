/** Who waits on a signal. A fetch waits for hundreds of reads: one listener serves them all. */
const waiters = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Waits for `promise`, but no longer than until `signal` aborts; then it rejects with the signal's reason. The work
 * behind `promise` goes on: others may wait for it too.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    promise.then(resolve, reject).finally(() => waiters.get(signal)?.delete(onAbort))
    if (signal.aborted) onAbort()
    else waitersOf(signal).add(onAbort)
  })
}

function waitersOf(signal: AbortSignal): Set<() => void> {
  const known = waiters.get(signal)
  if (known !== undefined) return known
  const added = new Set<() => void>()
  waiters.set(signal, added)
  const wakeAll = () => {
    for (const wake of added) wake()
    added.clear()
  }
  signal.addEventListener('abort', wakeAll, { once: true })
  return added
}
