/**
 * What the library throws is a tree: attempts, each with the errors of an answer in it. People get the one at its root, in the
 * broker's own words where it said something.
 */
interface LibraryError extends Error {
  readonly errors?: readonly LibraryError[]
  readonly apiId?: string
  readonly serverErrorMessage?: string | null
  readonly code?: string
}

export function clientFailure(error: unknown, bootstrap: string): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  const root = rootOf(error)
  const network = networkCodeOf(root)
  if (network !== undefined) {
    return new Error(
      `cannot reach a broker at ${bootstrap} (${network}): check --bootstrap, and that an agent runs there`,
    )
  }
  if (root.apiId === undefined) return root
  const said = root.serverErrorMessage
  return new Error(said === null || said === undefined || said === '' ? `${root.message} (${root.apiId})` : said)
}

/** The first error with nothing below it, those with an answer of a broker first. */
function rootOf(error: LibraryError): LibraryError {
  const leaves = leavesOf(error)
  return leaves.find(({ apiId }) => apiId !== undefined) ?? leaves[0] ?? error
}

function leavesOf(error: LibraryError): LibraryError[] {
  const below = (error.errors ?? []).filter((inner) => inner instanceof Error)
  return below.length === 0 ? [error] : below.flatMap(leavesOf)
}

function networkCodeOf(error: LibraryError): string | undefined {
  const cause = error.cause instanceof Error ? (error.cause as NodeJS.ErrnoException) : undefined
  if (error.code !== 'PLT_KFK_NETWORK' && error.code !== 'PLT_KFK_TIMEOUT') return undefined
  return cause?.code ?? 'no answer'
}

/** Codes of the protocol anywhere in the error: what a loop of its own looks at. */
export function errorCodesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return []
  return leavesOf(error).flatMap(({ apiId }) => (apiId === undefined ? [] : [apiId]))
}

/** What passes, mostly as soon as the metadata has been asked for again. */
export const PASSING_ERRORS = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_TOPIC_ID',
  'OFFSET_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
]
/** Whether another try may find it well: a broker has gone, or passes. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return leavesOf(error).every((leaf) => {
    if (leaf.apiId !== undefined) return PASSING_ERRORS.includes(leaf.apiId)
    return networkCodeOf(leaf) !== undefined
  })
}
