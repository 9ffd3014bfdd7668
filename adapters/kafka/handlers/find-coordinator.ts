import {
  type Coordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  GROUP_KEY_TYPE,
  TRANSACTION_KEY_TYPE,
} from '../apis/10-find-coordinator.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'

export async function handleFindCoordinator(
  context: RequestContext,
  { keyType, keys }: FindCoordinatorRequest,
): Promise<FindCoordinatorResponse> {
  const refusal = refusalOf(keyType)
  if (refusal === undefined) await context.broker.cluster.lookAround()
  return {
    coordinators: [...new Set(keys)].map((key) =>
      refusal === undefined ? coordinatorOf(context, key) : { key, ...refusal, ...NOBODY },
    ),
  }
}

const NOBODY = { nodeId: -1, host: '', port: -1 }

function coordinatorOf({ broker, client }: RequestContext, key: string): Coordinator {
  const { nodeId, host, port } = broker.cluster.coordinatorOf(key, client)
  return { key, errorCode: KafkaError.NONE, errorMessage: null, nodeId, host, port }
}

function refusalOf(keyType: number): KafkaFailure | undefined {
  if (keyType === GROUP_KEY_TYPE) return undefined
  if (keyType === TRANSACTION_KEY_TYPE) {
    // As InitProducerId has it: what says "no coordinator" makes clients look for one for ever.
    return kafkaFailure(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'Transactions are not supported')
  }
  return kafkaFailure(KafkaError.INVALID_REQUEST, `Coordinators are found by key type 0 (group), and not ${keyType}`)
}
