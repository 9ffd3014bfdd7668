const UNTIL_TIMEOUT_MS = 5000
const UNTIL_STEP_MS = 5

export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Polls until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + UNTIL_TIMEOUT_MS
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${UNTIL_TIMEOUT_MS} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, UNTIL_STEP_MS))
  }
}
