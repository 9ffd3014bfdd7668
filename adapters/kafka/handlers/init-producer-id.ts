import { isHeadraceError } from '../../../engine/errors.js'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../apis/22-init-producer-id.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'

/**
 * Gives an idempotent producer an id nobody had before, always with epoch 0. A producer that brings an id and epoch to have
 * the epoch raised (KIP-360) gets a new id too, as from Kafka: without a transactional id nobody can tell whether the one
 * who asks is the one who owns it.
 */
export async function handleInitProducerId(
  context: RequestContext,
  request: InitProducerIdRequest,
): Promise<InitProducerIdResponse> {
  // There are no transactions. Of the codes a client may get here this one alone is final in all of them: others, like
  // UNSUPPORTED_VERSION or COORDINATOR_NOT_AVAILABLE, make some retry for ever.
  if (request.transactionalId !== null) return refuse(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  try {
    const producerId = await context.broker.producerIds.next()
    return { errorCode: KafkaError.NONE, producerId, producerEpoch: 0 }
  } catch (error) {
    if (!isHeadraceError(error)) throw error
    // Kafka's own answer while it cannot reserve ids: clients wait and ask again, and look for no other coordinator.
    return refuse(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
  }
}

function refuse(errorCode: KafkaErrorCode): InitProducerIdResponse {
  return { errorCode, producerId: -1, producerEpoch: -1 }
}
