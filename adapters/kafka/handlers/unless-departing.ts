import { HeadraceError } from '../../../engine/errors.js'
import type { RequestContext } from '../context.js'

/**
 * What a parked request waits for, given up when the connection closes or the agent goes: its client is to join at the next
 * coordinator and not wait for this one. @throws NOT_COORDINATOR
 */
export async function unlessDeparting<T>({ signal }: RequestContext, waiting: Promise<T>): Promise<T> {
  let abort = () => {}
  const departed = new Promise<never>((_, reject) => {
    abort = () =>
      reject(new HeadraceError('NOT_COORDINATOR', 'safe', 'The connection is closing; ask for the coordinator'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([waiting, departed])
  } finally {
    signal.removeEventListener('abort', abort)
    // Nobody else looks at what comes of it then.
    waiting.catch(() => {})
  }
}
