import type { DescribeClientQuotasRequest, DescribeClientQuotasResponse } from '../apis/48-describe-client-quotas.js'
import type { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../apis/49-alter-client-quotas.js'
import type { RequestContext } from '../context.js'
import { KafkaError, kafkaFailure } from '../errors.js'

const NO_FAILURE = { errorCode: KafkaError.NONE, errorMessage: null }

/** INVALID_REQUEST is Kafka's answer to quotas that it does not know. */
const noQuotas = kafkaFailure(
  KafkaError.INVALID_REQUEST,
  'This broker has no client quotas: what clients may use is bounded by its own settings, alike for all',
)

/** No filter matches anything. */
export async function handleDescribeClientQuotas(
  _context: RequestContext,
  _request: DescribeClientQuotasRequest,
): Promise<DescribeClientQuotasResponse> {
  return NO_FAILURE
}

/** To remove what was never set is a success without effect, as in Kafka. So the answer is the same for a validation. */
export async function handleAlterClientQuotas(
  _context: RequestContext,
  { entries }: AlterClientQuotasRequest,
): Promise<AlterClientQuotasResponse> {
  return {
    entries: entries.map(({ entity, operations }) => ({
      ...(operations.every(({ remove }) => remove) ? NO_FAILURE : noQuotas),
      entity,
    })),
  }
}
