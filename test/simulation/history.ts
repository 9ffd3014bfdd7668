import { createHash } from 'node:crypto'

/** How long the object of a dead segment stays at least: a reader may still have a pointer to it. */
export const DELETION_GRACE_MS = 1000

/**
 * What happened in a run, in order: the only thing the checker sees. Plain data, so that two runs of a seed can be
 * compared and a failing one printed.
 */
export type HistoryEvent = { readonly atMs: number } & HistoryFact

export type HistoryFact =
  | {
      /** A client put a Produce request on a connection. */
      readonly kind: 'send'
      readonly client: string
      readonly idempotent: boolean
      readonly connection: number
      readonly agent: string
      readonly request: number
      readonly batches: readonly SentBatch[]
    }
  | {
      /** A client got the answer to a request. */
      readonly kind: 'answer'
      readonly client: string
      readonly request: number
      readonly results: readonly AnsweredBatch[]
    }
  /** The client has written everything it wanted to, or has given some of it up as it may. */
  | { readonly kind: 'producer-done'; readonly client: string; readonly undone: number }
  | {
      /** A transaction of the catalog took effect. */
      readonly kind: 'commit'
      readonly segments: readonly CommittedFact[]
      /** Of every partition, right after it. */
      readonly highWatermarks: readonly number[]
    }
  | {
      /** A consumer got the answer to a fetch of one partition. */
      readonly kind: 'poll'
      readonly consumer: string
      readonly agent: string
      readonly partition: number
      readonly fromOffset: number
      readonly highWatermark: number
      /** What the catalog held when the answer left the agent. */
      readonly committedHighWatermark: number
      readonly batches: readonly ReadBatch[]
    }
  | {
      /** Something other than a commit changed what the logs are made of: all of it, right after. */
      readonly kind: 'layout'
      readonly cause: LayoutCause
      readonly partitions: readonly LayoutFact[]
      /** Segments in it whose object was not in the store at that moment. */
      readonly missing: readonly string[]
    }
  | { readonly kind: 'swap'; readonly outcome: string }
  /** The store carried out a deletion of an object that was there. */
  | { readonly kind: 'object-deleted'; readonly segmentId: string }
  | {
      /** A consumer was told that the log begins later than it asked for. */
      readonly kind: 'out-of-range'
      readonly consumer: string
      readonly partition: number
      readonly fromOffset: number
      readonly toldLogStartOffset: number
      readonly logStartOffset: number
    }
  | { readonly kind: 'unreadable'; readonly reader: string; readonly partition: number; readonly error: string }
  | { readonly kind: 'sweep'; readonly deletedKeys: readonly string[] }
  | { readonly kind: 'agent'; readonly agent: string; readonly change: 'started' | 'crashed' | 'closing' | 'closed' }
  | { readonly kind: 'call'; readonly agent: string; readonly call: string; readonly fate: string }
  | {
      /** The whole of a partition as one agent reads it when all is quiet. */
      readonly kind: 'final-log'
      readonly agent: string
      readonly partition: number
      readonly logStartOffset: number
      readonly highWatermark: number
      readonly batches: readonly ReadBatch[]
    }
  | {
      readonly kind: 'final-store'
      readonly objectKeys: readonly string[]
      readonly committedKeys: readonly string[]
    }

export type LayoutCause = 'swap' | 'removal' | 'retention' | 'delete-records'

export interface LayoutFact {
  readonly partition: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly extents: readonly LayoutExtent[]
}

export interface LayoutExtent {
  readonly baseOffset: number
  readonly endOffset: number
  readonly segmentId: string
}

export interface SentBatch extends BatchIdentity {
  readonly partition: number
  readonly recordCount: number
  readonly crc: number
}

/** Stands in every record's value, so that the log tells where each batch came from. */
export interface BatchIdentity {
  readonly client: string
  /** The client's request that carried it; a retry is another request. */
  readonly request: number
  /** Number of the batch among the client's batches of its partition: the same in every retry. */
  readonly number: number
}

export interface AnsweredBatch {
  readonly partition: number
  readonly number: number
  /** -1: the answer was success without an offset (an old duplicate). */
  readonly baseOffset: number | undefined
  readonly error: string | undefined
}

export interface ReadBatch extends BatchIdentity {
  readonly baseOffset: number
  readonly endOffset: number
  readonly crc: number
}

export interface CommittedFact {
  readonly segmentId: string
  /** Whether the object was in the store at that moment. */
  readonly durable: boolean
  readonly extents: readonly { readonly partition: number; readonly baseOffset: number; readonly endOffset: number }[]
}

export class History {
  readonly events: HistoryEvent[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  add(fact: HistoryFact): void {
    this.events.push({ atMs: this.#nowMs(), ...fact })
  }

  hash(): string {
    const hash = createHash('sha256')
    for (const event of this.events) hash.update(JSON.stringify(event)).update('\n')
    return hash.digest('hex')
  }
}

/** One line of a printed history. */
export function describeEvent(event: HistoryEvent): string {
  const { atMs, kind, ...fields } = event
  return `${atMs.toFixed(1).padStart(10)} ${kind.padEnd(13)} ${JSON.stringify(fields)}`
}
