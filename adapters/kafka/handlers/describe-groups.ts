import { isHeadraceError } from '../../../engine/errors.js'
import type { GroupDescription } from '../../../engine/groups/group-coordinator.js'
import type { DescribedGroup, DescribeGroupsRequest, DescribeGroupsResponse } from '../apis/15-describe-groups.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupFailureOf } from './group-failures.js'

/** First version that can say that a group does not exist; older ones show it as a dead one. */
const NOT_FOUND_VERSION_MIN = 6

const OPERATIONS_NOT_ASKED = -2147483648
/** Read, delete and describe, as bits: without ACLs everybody may do everything there is to do with a group. */
const OPERATIONS_ALL = (1 << 3) | (1 << 6) | (1 << 8)

export async function handleDescribeGroups(
  context: RequestContext,
  request: DescribeGroupsRequest,
  version: number,
): Promise<DescribeGroupsResponse> {
  // Each group is described once, so that an answer is never larger than the groups.
  const groupIds = [...new Set(request.groupIds)]
  const authorizedOperations = request.includeAuthorizedOperations ? OPERATIONS_ALL : OPERATIONS_NOT_ASKED
  const results = await describeAll(context, groupIds)
  return {
    groups: groupIds.map((groupId, place) => {
      const result = results[place]!
      return result instanceof Error
        ? refuse(context, groupId, result, version)
        : describe(result, authorizedOperations)
    }),
  }
}

async function describeAll(
  context: RequestContext,
  groupIds: readonly string[],
): Promise<readonly (GroupDescription | Error)[]> {
  try {
    return await context.broker.groups.describe(groupIds)
  } catch (error) {
    return groupIds.map(() => error as Error)
  }
}

function describe(group: GroupDescription, authorizedOperations: number): DescribedGroup {
  return { ...group, errorCode: KafkaError.NONE, errorMessage: null, authorizedOperations }
}

function refuse(context: RequestContext, groupId: string, error: Error, version: number): DescribedGroup {
  const dead = isHeadraceError(error, 'GROUP_UNKNOWN')
  const failure =
    dead && version < NOT_FOUND_VERSION_MIN
      ? { errorCode: KafkaError.NONE, errorMessage: null }
      : groupFailureOf(context, error)
  return {
    ...failure,
    groupId,
    state: dead ? 'Dead' : '',
    protocolType: '',
    protocolName: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  }
}
