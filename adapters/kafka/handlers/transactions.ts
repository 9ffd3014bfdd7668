import type { DescribeTransactionsRequest, DescribeTransactionsResponse } from '../apis/65-describe-transactions.js'
import type { ListTransactionsRequest, ListTransactionsResponse } from '../apis/66-list-transactions.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'

/** What tools get to hear where there are no transactions. */
export async function handleDescribeTransactions(
  _context: RequestContext,
  { transactionalIds }: DescribeTransactionsRequest,
): Promise<DescribeTransactionsResponse> {
  const errorCode = KafkaError.TRANSACTIONAL_ID_NOT_FOUND
  return { transactions: transactionalIds.map((transactionalId) => ({ errorCode, transactionalId })) }
}

const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

export async function handleListTransactions(
  _context: RequestContext,
  { states }: ListTransactionsRequest,
): Promise<ListTransactionsResponse> {
  return { errorCode: KafkaError.NONE, unknownStates: states.filter((state) => !STATES.includes(state)) }
}
