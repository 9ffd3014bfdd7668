import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a directory and those above it. Not `mkdir` with `recursive`: where a file system refuses children with ENOENT,
 * as /proc does, that one never returns (seen in Node 20), and an agent with a mistyped path would spin in silence.
 *
 * @throws what the operating system said
 */
export function makeDirectory(path: string): void {
  if (tryMake(path)) return
  makeDirectory(dirname(path))
  // The parent is there now: whatever is said this time is final.
  if (!tryMake(path)) mkdirSync(path)
}

/** False when the parent is missing. */
function tryMake(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return true
    if (code === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
}
