/** A request with no field at its default. */
export interface SampleRequest {
  readonly [field: string]: unknown
  /** What the codec under test makes of the sample in a version. */
  readonly decoded: (version: number) => object
}

export interface SampleResponse {
  readonly sent: object
  /** What a client sees of it in a version. */
  readonly received: (version: number) => object
}

/** `value` where the version has the field. */
export const since = <T>(version: number, min: number, value: T): T | undefined => (version >= min ? value : undefined)
