import { HeadraceError, type Retry } from '../../engine/errors.js'
import { objectExists, objectNotFound } from './errors.js'

/** What the operating system says, in the words of the port. `retry`: what a failure at this step leaves open. */
export function fileError(location: string, key: string, error: unknown, retry: Retry = 'safe'): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  const detail = `${location}: ${error instanceof Error ? error.message : code}`
  switch (code) {
    case 'ENOENT':
      return objectNotFound(location, key, error)
    case 'EEXIST':
      return objectExists(location, key, error)
    case 'ENOTDIR':
    case 'EISDIR':
      return new HeadraceError('OBJECT_NOT_FOUND', 'never', `${detail}; a key cannot be a folder of another key`, {
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HeadraceError('OBJECT_STORE_DENIED', 'never', `${detail}; give this user write access`, {
        cause: error,
      })
    case 'EMFILE':
    case 'ENFILE':
      return new HeadraceError('OBJECT_STORE_THROTTLED', retry, `${detail}; raise the limit of open files`, {
        cause: error,
      })
    case 'ENOSPC':
    case 'EDQUOT':
      return new HeadraceError('OBJECT_STORE_UNAVAILABLE', retry, `${detail}; free space in it`, { cause: error })
    default:
      return new HeadraceError('OBJECT_STORE_UNAVAILABLE', retry, detail, { cause: error })
  }
}

/** The errno name of a system error; undefined for everything else (our own errors, aborts, a caller's exception). */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
