/**
 * When to seal the open segment: a pure function of limits, state and time.
 *
 * The plain rule is size or age. On top of it stands *cost-neutral eagerness*: object-store requests are money, and the
 * interval timer already budgets one per interval. A token bucket holds just that rate; whenever a token is there and
 * no upload is in flight, the segment is sealed after a short delay instead of the interval. Sparse traffic is then
 * acknowledged in upload + commit time, and steady traffic has no tokens left and pays what the timer pays. The delay lets
 * requests that come together share a segment; it is a small part of what their upload will take.
 */
export interface FlushLimits {
  readonly flushBytes: number
  readonly flushIntervalMs: number
}

export interface FlushState {
  /** Monotonic time of the first batch. */
  readonly openedAtMs: number
  readonly bytes: number
  readonly uploads: UploadState
  readonly tokens: TokenBucket
}

export interface UploadState {
  readonly inFlightCount: number
  /** What one took lately, from seal to object; undefined before the first. */
  readonly recentMs: number | undefined
}

export type FlushDecision = { readonly seal: true } | { readonly seal: false; readonly recheckAtMs: number }

/** Tokens as of a moment; refilled by arithmetic, never by a timer. */
export interface TokenBucket {
  readonly count: number
  readonly asOfMs: number
}

/** How much unused rate may be saved up: one second of it, and never so much that a burst shows on the bill. */
const SAVED_TOKENS_MAX = 4
const EAGER_DELAY_MAX_MS = 5
const EAGER_DELAY_UPLOAD_SHARE = 0.05

export function decideFlush(limits: FlushLimits, state: FlushState, nowMs: number): FlushDecision {
  const dueAtMs = state.openedAtMs + limits.flushIntervalMs
  if (state.bytes >= limits.flushBytes || nowMs >= dueAtMs) return { seal: true }
  if (state.uploads.inFlightCount > 0) return { seal: false, recheckAtMs: dueAtMs }
  const eagerAtMs = Math.max(
    state.openedAtMs + eagerDelayMs(limits, state.uploads),
    nextTokenAtMs(limits, state.tokens),
  )
  if (nowMs >= eagerAtMs) return { seal: true }
  return { seal: false, recheckAtMs: Math.min(eagerAtMs, dueAtMs) }
}

export function fullBucket(limits: FlushLimits, nowMs: number): TokenBucket {
  return { count: capacity(limits), asOfMs: nowMs }
}

/** The bucket after a seal: every seal takes a token, whatever caused it, but there is no debt. */
export function takeToken(limits: FlushLimits, bucket: TokenBucket, nowMs: number): TokenBucket {
  const count = Math.min(capacity(limits), bucket.count + (nowMs - bucket.asOfMs) / limits.flushIntervalMs)
  return { count: Math.max(0, count - 1), asOfMs: nowMs }
}

export function eagerDelayMs(limits: FlushLimits, { recentMs = Number.POSITIVE_INFINITY }: UploadState): number {
  return Math.min(EAGER_DELAY_MAX_MS, limits.flushIntervalMs / 5, recentMs * EAGER_DELAY_UPLOAD_SHARE)
}

function nextTokenAtMs(limits: FlushLimits, bucket: TokenBucket): number {
  return bucket.asOfMs + Math.max(0, 1 - bucket.count) * limits.flushIntervalMs
}

function capacity(limits: FlushLimits): number {
  return Math.min(SAVED_TOKENS_MAX, Math.max(1, 1000 / limits.flushIntervalMs))
}
