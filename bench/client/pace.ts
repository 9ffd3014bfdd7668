/** Requests this far apart are sent to the moment; closer ones when the timer comes around, a millisecond late at most. */
const EXACT_FROM_MS = 20
const TIMER_SLACK_MS = 2

/**
 * Open loop: calls `send` with the times at which requests are due, at even distances, whatever the answers do. Rare requests
 * are waited for without a timer in the last moment: its millisecond would count as the broker's.
 */
export function pace(
  requestsPerS: number,
  sending: () => boolean,
  send: (number: number, dueAtMs: number) => void,
): void {
  const startedAtMs = performance.now()
  const everyMs = 1000 / requestsPerS
  const slackMs = everyMs >= EXACT_FROM_MS ? TIMER_SLACK_MS : 0
  let sent = 0
  const step = () => {
    if (!sending()) return
    for (; startedAtMs + sent * everyMs <= performance.now(); sent++) send(sent, startedAtMs + sent * everyMs)
    const leftMs = startedAtMs + sent * everyMs - performance.now()
    if (leftMs > slackMs) setTimeout(step, leftMs - slackMs)
    else setImmediate(step)
  }
  step()
}
