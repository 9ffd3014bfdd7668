import type { SyncGroupRequest, SyncGroupResponse } from '../apis/14-sync-group.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupFailureOf } from './group-failures.js'
import { unlessDeparting } from './unless-departing.js'

const NO_ASSIGNMENT = new Uint8Array(0)

export async function handleSyncGroup(context: RequestContext, request: SyncGroupRequest): Promise<SyncGroupResponse> {
  try {
    const answer = await unlessDeparting(context, context.broker.groups.sync(request))
    return { ...answer, errorCode: KafkaError.NONE }
  } catch (error) {
    const { errorCode } = groupFailureOf(context, error)
    return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
  }
}
