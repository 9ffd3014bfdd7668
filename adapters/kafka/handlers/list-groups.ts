import type { ListGroupsRequest, ListGroupsResponse } from '../apis/16-list-groups.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupFailureOf } from './group-failures.js'

/** Every group is one of the classic protocol. */
const GROUP_TYPE = 'classic'

export async function handleListGroups(
  context: RequestContext,
  { states, types }: ListGroupsRequest,
): Promise<ListGroupsResponse> {
  try {
    const wanted = filterOf(states)
    const groups = filterOf(types)(GROUP_TYPE) ? await context.broker.groups.list() : []
    return {
      errorCode: KafkaError.NONE,
      groups: groups.filter(({ state }) => wanted(state)).map((group) => ({ ...group, type: GROUP_TYPE })),
    }
  } catch (error) {
    return { errorCode: groupFailureOf(context, error).errorCode, groups: [] }
  }
}

/** No names: everything passes. Like Kafka it does not look at upper and lower case, and knows no unknown names. */
function filterOf(names: readonly string[]): (name: string) => boolean {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  return (name) => wanted.size === 0 || wanted.has(name.toLowerCase())
}
