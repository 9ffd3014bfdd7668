import { HeadraceError, isHeadraceError } from '../../engine/errors.js'
import type { FailureKind } from './dialect.js'

/** What a statement's failure means to callers of the catalog. */

/** A driver's error, told apart. Never leaves this folder. */
export class StatementError extends Error {
  constructor(
    readonly kind: FailureKind,
    text: string,
  ) {
    super(text)
  }
}

export function outcomeUnknown(location: string, error: StatementError): HeadraceError {
  return new HeadraceError(
    'CATALOG_OUTCOME_UNKNOWN',
    'unknown',
    `the connection to the catalog ${location} was lost while it committed a change (${error.message}); the change may be there or not`,
    { cause: error },
  )
}

/** The transaction was rolled back, or its connection is gone and the database has done it. */
export function withoutEffect(location: string, error: StatementError): HeadraceError {
  const because = `(${error.message})`
  const options = { cause: error }
  switch (error.kind) {
    case 'conflict':
      return new HeadraceError(
        'CATALOG_CONFLICT',
        'safe',
        `the catalog ${location} was too busy with other changes ${because}; try again`,
        options,
      )
    case 'unavailable':
      return new HeadraceError(
        'CATALOG_UNAVAILABLE',
        'safe',
        `the catalog ${location} cannot be used now ${because}; check that it runs and is reachable`,
        options,
      )
    case 'denied':
      return new HeadraceError(
        'CATALOG_UNAVAILABLE',
        'safe',
        `the catalog ${location} denies access ${because}; check user, password, database and rights`,
        options,
      )
    case 'table-missing':
      return new HeadraceError(
        'CATALOG_SCHEMA_MISMATCH',
        'never',
        `the catalog ${location} lacks a table; its schema has not been created, or something has removed it`,
        options,
      )
    case 'duplicate-key':
    case 'refused':
      return new HeadraceError(
        'CATALOG_UNAVAILABLE',
        'never',
        `the catalog ${location} refused a statement ${because}; this is a bug or an unsupported database`,
        options,
      )
  }
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof StatementError && error.kind === 'duplicate-key'
}

export function isTableMissing(error: unknown): boolean {
  return isHeadraceError(error, 'CATALOG_SCHEMA_MISMATCH')
}
