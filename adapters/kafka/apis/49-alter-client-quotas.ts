import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface AlterClientQuotasRequest {
  readonly entries: readonly QuotaAlteration[]
  readonly validateOnly: boolean
}

/** A user, a client id, an address, or a user with a client id. A null name is the default of its type. */
export type QuotaEntity = readonly { readonly type: string; readonly name: string | null }[]

export interface QuotaAlteration {
  readonly entity: QuotaEntity
  readonly operations: readonly { readonly key: string; readonly remove: boolean }[]
}

export interface AlterClientQuotasResponse {
  readonly entries: readonly AlteredQuota[]
}

export interface AlteredQuota extends ApiError {
  readonly entity: QuotaEntity
}

export const alterClientQuotas: ApiCodec<AlterClientQuotasRequest, AlterClientQuotasResponse> = {
  key: 49,
  name: 'AlterClientQuotas',
  validVersions: { min: 0, max: 1 },
  flexibleFrom: 1,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

const VALUE_BYTES = 8

function decodeRequest(reader: WireReader): AlterClientQuotasRequest {
  const entries = reader.array(() => {
    const entity = reader.array(() => {
      const part = { type: reader.string(), name: reader.nullableString() }
      reader.tags()
      return part
    })
    const operations = reader.array(() => {
      const key = reader.string()
      // Whatever the quota is, it is refused.
      reader.skip(VALUE_BYTES)
      const remove = reader.boolean()
      reader.tags()
      return { key, remove }
    })
    reader.tags()
    return { entity, operations }
  })
  const validateOnly = reader.boolean()
  reader.tags()
  return { entries, validateOnly }
}

function encodeResponse(writer: WireWriter, response: AlterClientQuotasResponse): void {
  writer.i32(0)
  writer.array(response.entries, (entry) => {
    encodeApiError(writer, entry)
    writer.array(entry.entity, (part) => {
      writer.string(part.type)
      writer.nullableString(part.name)
      writer.tags()
    })
    writer.tags()
  })
  writer.tags()
}
