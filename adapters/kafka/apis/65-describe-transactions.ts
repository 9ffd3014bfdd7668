import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface DescribeTransactionsRequest {
  readonly transactionalIds: readonly string[]
}

export interface DescribeTransactionsResponse {
  readonly transactions: readonly DescribedTransaction[]
}

/** There are no transactions, so all that is known of one is an error. */
export interface DescribedTransaction {
  readonly errorCode: number
  readonly transactionalId: string
}

export const describeTransactions: ApiCodec<DescribeTransactionsRequest, DescribeTransactionsResponse> = {
  key: 65,
  name: 'DescribeTransactions',
  validVersions: { min: 0, max: 0 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DescribeTransactionsRequest {
  const transactionalIds = reader.array(() => reader.string())
  reader.tags()
  return { transactionalIds }
}

function encodeResponse(writer: WireWriter, response: DescribeTransactionsResponse): void {
  writer.i32(0)
  writer.array(response.transactions, (transaction) => {
    writer.i16(transaction.errorCode)
    writer.string(transaction.transactionalId)
    // State, time-out, start, producer id and epoch, topics.
    writer.string('')
    writer.i32(0)
    writer.i64(0)
    writer.i64(0)
    writer.i16(0)
    writer.array([], () => {})
    writer.tags()
  })
  writer.tags()
}
