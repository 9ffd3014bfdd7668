import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../apis/42-delete-groups.js'
import type { RequestContext } from '../context.js'
import { groupErrorCode } from './group-failures.js'

export async function handleDeleteGroups(
  context: RequestContext,
  request: DeleteGroupsRequest,
): Promise<DeleteGroupsResponse> {
  const groupIds = [...new Set(request.groupIds)]
  const errorOf = await deleteAll(context, groupIds)
  return {
    results: groupIds.map((groupId, place) => ({ groupId, errorCode: groupErrorCode(context, errorOf(place)) })),
  }
}

async function deleteAll(context: RequestContext, groupIds: readonly string[]): Promise<(place: number) => unknown> {
  try {
    const results = await context.broker.groups.delete(groupIds)
    return (place) => results[place]
  } catch (error) {
    return () => error
  }
}
