/** Why a frame cannot be read. Whatever the reason, the connection that sent it is closed: its stream has lost its sense. */
export type WireErrorCode =
  | 'FRAME_TOO_SHORT'
  | 'LENGTH_INVALID'
  | 'LENGTH_TOO_LARGE'
  | 'VALUE_INVALID'
  | 'API_UNKNOWN'
  | 'VERSION_UNSUPPORTED'

export class WireError extends Error {
  override readonly name = 'WireError'

  constructor(
    readonly code: WireErrorCode,
    message: string,
    /** Where in the frame, counted from the request header's first byte. */
    readonly position?: number,
  ) {
    super(position === undefined ? message : `${message} (at byte ${position} of the request)`)
  }
}
