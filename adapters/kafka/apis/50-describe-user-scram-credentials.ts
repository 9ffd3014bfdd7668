import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface DescribeUserScramCredentialsRequest {
  /** Null or empty: all users. */
  readonly users: readonly string[] | null
}

export interface DescribeUserScramCredentialsResponse extends ApiError {
  readonly results: readonly DescribedScramUser[]
}

/** There are no users, so all that is known of one is an error. */
export interface DescribedScramUser extends ApiError {
  readonly user: string
}

export const describeUserScramCredentials: ApiCodec<
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse
> = {
  key: 50,
  name: 'DescribeUserScramCredentials',
  validVersions: { min: 0, max: 0 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DescribeUserScramCredentialsRequest {
  const users = reader.nullableArray(() => {
    const name = reader.string()
    reader.tags()
    return name
  })
  reader.tags()
  return { users }
}

function encodeResponse(writer: WireWriter, response: DescribeUserScramCredentialsResponse): void {
  writer.i32(0)
  encodeApiError(writer, response)
  writer.array(response.results, (result) => {
    writer.string(result.user)
    encodeApiError(writer, result)
    // Mechanisms with their iterations.
    writer.array([], () => {})
    writer.tags()
  })
  writer.tags()
}
