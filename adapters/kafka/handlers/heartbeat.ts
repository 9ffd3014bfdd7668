import type { HeartbeatRequest, HeartbeatResponse } from '../apis/12-heartbeat.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupFailureOf } from './group-failures.js'

export async function handleHeartbeat(context: RequestContext, request: HeartbeatRequest): Promise<HeartbeatResponse> {
  try {
    await context.broker.groups.heartbeat(request)
    return { errorCode: KafkaError.NONE }
  } catch (error) {
    return groupFailureOf(context, error)
  }
}
