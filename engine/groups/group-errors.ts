import { HeadraceError } from '../errors.js'

/** What members are told, in one place: their clients choose by the code, people read the text. */

export function memberUnknown(): HeadraceError {
  return new HeadraceError(
    'MEMBER_UNKNOWN',
    'never',
    'the group has no such member: it left, or its session ended; join again as a new member',
  )
}

export function memberFenced(): HeadraceError {
  return new HeadraceError(
    'MEMBER_FENCED',
    'never',
    'another process has joined with this group.instance.id: give each process its own',
  )
}

export function generationIllegal(asked: number, current: number): HeadraceError {
  return new HeadraceError(
    'GENERATION_ILLEGAL',
    'never',
    `the group is in generation ${current}, not ${asked}: join again`,
  )
}

export function rebalanceInProgress(): HeadraceError {
  return new HeadraceError('REBALANCE_IN_PROGRESS', 'safe', 'the group is rebalancing: join again')
}

export function protocolInconsistent(): HeadraceError {
  return new HeadraceError(
    'PROTOCOL_INCONSISTENT',
    'never',
    'the group has members with another protocol type, or none of these protocols (assignors) is known to all of them',
  )
}

export function groupFull(reason: string): HeadraceError {
  return new HeadraceError('GROUP_FULL', 'never', reason)
}

export function groupUnknown(groupId: string): HeadraceError {
  return new HeadraceError('GROUP_UNKNOWN', 'never', `there is no group ${JSON.stringify(groupId)}`)
}

export function groupNotEmpty(): HeadraceError {
  return new HeadraceError('GROUP_NOT_EMPTY', 'never', 'the group has members: stop them first')
}

export function notCoordinator(): HeadraceError {
  return new HeadraceError(
    'NOT_COORDINATOR',
    'safe',
    'another agent coordinates this group: ask again which agent it is',
  )
}

export function coordinatorUnavailable(reason: string, cause?: unknown): HeadraceError {
  return new HeadraceError('COORDINATOR_UNAVAILABLE', 'safe', reason, { cause })
}
