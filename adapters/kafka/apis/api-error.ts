import type { WireWriter } from '../wire/writer.js'

/** How a request, or one part of it, ended: a code, NONE included, and a text for people. */
export interface ApiError {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** As nearly all APIs that have the text write it. */
export function encodeApiError(writer: WireWriter, { errorCode, errorMessage }: ApiError): void {
  writer.i16(errorCode)
  writer.nullableString(errorMessage)
}
