import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

/** Without what makes the credentials: nothing keeps them, so nothing gets to see them. */
export interface AlterUserScramCredentialsRequest {
  readonly deletions: readonly ScramCredential[]
  readonly upsertions: readonly ScramCredential[]
}

export interface ScramCredential {
  readonly user: string
  /** 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512. */
  readonly mechanism: number
}

/** One result per user. */
export interface AlterUserScramCredentialsResponse {
  readonly results: readonly AlteredScramUser[]
}

export interface AlteredScramUser extends ApiError {
  readonly user: string
}

export const alterUserScramCredentials: ApiCodec<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse> =
  {
    key: 51,
    name: 'AlterUserScramCredentials',
    validVersions: { min: 0, max: 0 },
    flexibleFrom: 0,
    responseHeaderFlexible: true,
    decodeRequest,
    encodeResponse,
  }

function decodeRequest(reader: WireReader): AlterUserScramCredentialsRequest {
  const deletions = reader.array(() => {
    const deletion = { user: reader.string(), mechanism: reader.i8() }
    reader.tags()
    return deletion
  })
  const upsertions = reader.array(() => {
    const upsertion = { user: reader.string(), mechanism: reader.i8() }
    // Iterations, salt, salted password.
    reader.i32()
    reader.bytes()
    reader.bytes()
    reader.tags()
    return upsertion
  })
  reader.tags()
  return { deletions, upsertions }
}

function encodeResponse(writer: WireWriter, response: AlterUserScramCredentialsResponse): void {
  writer.i32(0)
  writer.array(response.results, (result) => {
    writer.string(result.user)
    encodeApiError(writer, result)
    writer.tags()
  })
  writer.tags()
}
