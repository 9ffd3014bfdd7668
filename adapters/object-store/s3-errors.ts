import { HeadraceError, type HeadraceErrorCode, type Retry } from '../../engine/errors.js'
import { objectExists, objectNotFound } from './errors.js'

/** What was asked of the store, for the text of an error and for what a failure leaves open. */
export interface S3Request {
  readonly location: string
  readonly key: string
  readonly effect: 'read' | 'write'
}

const DENIED_NAMES = new Map([
  ['NoSuchBucket', 'the bucket does not exist; create it or correct the URL'],
  ['PermanentRedirect', 'the bucket is in another region; name it with ?region='],
  ['AuthorizationHeaderMalformed', 'the region is wrong; name it with ?region='],
  ['IllegalLocationConstraintException', 'the region is wrong; name it with ?region='],
  ['RequestTimeTooSkewed', 'the clock of this machine is wrong'],
  ['ExpiredToken', 'the credentials have expired'],
  ['InvalidAccessKeyId', 'the access key is unknown to the store'],
  ['SignatureDoesNotMatch', 'the secret access key is wrong'],
  ['CredentialsProviderError', 'no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a role'],
  ['AccessDenied', 'the credentials lack a permission: s3:GetObject, PutObject, DeleteObject, ListBucket are needed'],
])

/** Names with which stores ask for patience; each means that nothing was done. */
const THROTTLED_NAMES = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
  'TooManyRequestsException',
  'RequestThrottled',
])

/** The body did not arrive as announced, or somebody else is creating the key: nothing was stored. */
const REFUSED_NOW_NAMES = new Set(['BadDigest', 'IncompleteBody', 'ConditionalRequestConflict', 'OperationAborted'])

/** The request never reached the store. */
const UNREACHED_CODES = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

const RESET_CODES = new Set(['ECONNRESET', 'EPIPE'])

/** What the SDK or the network says, in the words of the port. Foreign exceptions come back as they are. */
export function s3Error(request: S3Request, error: unknown): unknown {
  if (error instanceof HeadraceError || !(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  // Before the names: the SDK calls a reset connection a time-out.
  if (code !== undefined && RESET_CODES.has(code)) {
    return build(request, error, 'OBJECT_STORE_UNAVAILABLE', lost(request), error.message)
  }
  const named = namedError(request, error)
  if (named) return named
  const status = statusOf(error)
  if (status !== undefined) return statusError(request, error, status)
  if (code !== undefined && UNREACHED_CODES.has(code)) {
    return build(request, error, 'OBJECT_STORE_UNAVAILABLE', 'safe', `the endpoint cannot be reached: ${error.message}`)
  }
  // A broken connection, or an answer that is not S3's (`$response` without metadata).
  if (code !== undefined || '$response' in error) {
    return build(request, error, 'OBJECT_STORE_UNAVAILABLE', lost(request), error.message)
  }
  if (error.message.startsWith('Region is missing')) {
    return build(
      request,
      error,
      'CONFIG_INVALID',
      'never',
      'the region is missing; name it with ?region= or AWS_REGION',
    )
  }
  return error
}

function namedError(request: S3Request, error: Error): HeadraceError | undefined {
  const advice = DENIED_NAMES.get(error.name)
  if (advice !== undefined) return build(request, error, 'OBJECT_STORE_DENIED', 'never', advice)
  if (THROTTLED_NAMES.has(error.name)) {
    return build(request, error, 'OBJECT_STORE_THROTTLED', 'safe', `the store throttles: ${error.message}`)
  }
  if (REFUSED_NOW_NAMES.has(error.name)) {
    return build(request, error, 'OBJECT_STORE_UNAVAILABLE', 'safe', error.message)
  }
  if (error.name === 'TimeoutError' || error.name === 'RequestTimeout') {
    return build(request, error, 'OBJECT_STORE_TIMEOUT', lost(request), error.message)
  }
  // A multipart upload that is gone was aborted or completed by a request whose answer was lost.
  if (error.name === 'NoSuchUpload') {
    return build(request, error, 'OBJECT_STORE_UNAVAILABLE', 'unknown', 'the multipart upload is gone')
  }
  return undefined
}

function statusError(request: S3Request, error: Error, status: number): HeadraceError {
  switch (status) {
    case 404:
      return objectNotFound(request.location, request.key, error)
    case 412:
      return objectExists(request.location, request.key, error)
    case 416:
      return build(request, error, 'OBJECT_RANGE_INVALID', 'never', 'the range begins beyond the end of the object')
    case 401:
    case 403:
      return build(request, error, 'OBJECT_STORE_DENIED', 'never', DENIED_NAMES.get('AccessDenied') as string)
    case 409:
      return build(request, error, 'OBJECT_STORE_UNAVAILABLE', 'safe', error.message)
    case 408:
    case 504:
      return build(request, error, 'OBJECT_STORE_TIMEOUT', lost(request), `status ${status}`)
    case 429:
      return build(request, error, 'OBJECT_STORE_THROTTLED', 'safe', `status ${status}`)
    case 503:
      // Without S3's SlowDown it may come from a proxy, which does not know what became of the request.
      return build(request, error, 'OBJECT_STORE_THROTTLED', lost(request), `status ${status}`)
    case 501:
      return build(request, error, 'OBJECT_STORE_DENIED', 'never', 'the store does not implement this request')
    default:
      if (status >= 400 && status < 500) {
        return build(request, error, 'OBJECT_STORE_DENIED', 'never', `status ${status}: ${error.message}`)
      }
      return build(request, error, 'OBJECT_STORE_UNAVAILABLE', lost(request), `status ${status}: ${error.message}`)
  }
}

export function isNotImplemented(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotImplemented' || statusOf(error) === 501)
}

/** A lost answer leaves a write's effect open; a read has none. */
function lost(request: S3Request): Retry {
  return request.effect === 'read' ? 'safe' : 'unknown'
}

function statusOf(error: Error): number | undefined {
  if ('$metadata' in error) {
    const { httpStatusCode } = error.$metadata as { httpStatusCode?: number }
    if (httpStatusCode !== undefined) return httpStatusCode
  }
  return undefined
}

function build(request: S3Request, cause: Error, code: HeadraceErrorCode, retry: Retry, detail: string): HeadraceError {
  const doing = request.effect === 'read' ? 'reading' : 'writing'
  const text = `${doing} ${request.key} in ${request.location} failed: ${detail} (${cause.name})`
  return new HeadraceError(code, retry, text, { cause })
}
