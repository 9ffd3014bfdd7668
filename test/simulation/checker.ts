import type { HistoryEvent, ReadBatch, SentBatch } from './history.js'
import { checkLayouts } from './layout-checker.js'

type Fact<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: Kind }>

/**
 * Judges a history by the promises: what an outsider saw, against the logs as they are in the end. Pure. Answers what was
 * broken, one sentence each.
 */
export function checkHistory(events: readonly HistoryEvent[]): string[] {
  const view = new HistoryView(events)
  return [
    ...checkReadable(view),
    ...checkLogsAgree(view),
    ...checkDense(view),
    ...checkContents(view),
    ...checkAnswers(view),
    ...checkProducersFinished(view),
    ...checkIdempotence(view),
    ...checkConnectionOrder(view),
    ...checkCommits(view),
    ...checkAtomicVisibility(view),
    ...checkPolls(view),
    ...checkBelowLogStart(view),
    ...checkLayouts(events),
    ...checkStore(view),
  ]
}

class HistoryView {
  /** By partition, as the first agent read them in the end. */
  readonly logs = new Map<number, Fact<'final-log'>>()
  /** By `attemptKey`. */
  readonly sent = new Map<string, { readonly batch: SentBatch; readonly send: Fact<'send'>; readonly place: number }>()

  constructor(readonly events: readonly HistoryEvent[]) {
    for (const log of this.of('final-log')) if (!this.logs.has(log.partition)) this.logs.set(log.partition, log)
    for (const [place, send] of this.of('send').entries()) {
      for (const batch of send.batches) this.sent.set(attemptKey(batch.partition, batch), { batch, send, place })
    }
  }

  logStartOffset(partition: number): number {
    return this.logs.get(partition)?.logStartOffset ?? 0
  }

  /** Whether a batch went with what is below the log start. `baseOffset` -1: an old duplicate, stored somewhere. */
  wasDeleted(partition: number, baseOffset: number, recordCount: number, client: string, number: number): boolean {
    const log = this.logs.get(partition)
    if (log === undefined || log.logStartOffset === 0) return false
    if (baseOffset >= 0) return baseOffset + recordCount <= log.logStartOffset
    // A client's batches are stored in their order: no earlier one can be left.
    return log.batches.every((batch) => batch.client !== client || batch.number > number)
  }

  of<Kind extends HistoryEvent['kind']>(kind: Kind): Fact<Kind>[] {
    return this.events.filter((event): event is Fact<Kind> => event.kind === kind)
  }
}

function attemptKey(
  partition: number,
  { client, request, number }: Omit<SentBatch, 'partition' | 'recordCount' | 'crc'>,
) {
  return `${partition} ${client} ${request} ${number}`
}

function checkReadable(view: HistoryView): string[] {
  return view
    .of('unreadable')
    .map(({ reader, partition, error }) => `${reader} cannot read partition ${partition}: ${error} (promise 1)`)
}

function checkLogsAgree(view: HistoryView): string[] {
  const problems: string[] = []
  for (const log of view.of('final-log')) {
    const first = view.logs.get(log.partition)
    if (JSON.stringify(first?.batches) === JSON.stringify(log.batches)) continue
    problems.push(`${log.agent} and ${first?.agent} read different logs of partition ${log.partition} (promise 1)`)
  }
  return problems
}

/** Promise 6: no hole, no overlap, from the batch with the log start up to the high watermark. */
function checkDense(view: HistoryView): string[] {
  const problems: string[] = []
  for (const { partition, batches, logStartOffset, highWatermark } of view.logs.values()) {
    // The log may begin inside a batch.
    let next = Math.min(logStartOffset, batches[0]?.baseOffset ?? logStartOffset)
    if (batches[0] !== undefined && batches[0].endOffset <= logStartOffset) {
      problems.push(`partition ${partition}: a batch below the log start ${logStartOffset} is read (promise 6)`)
    }
    for (const { baseOffset, endOffset } of batches) {
      if (baseOffset !== next) problems.push(`partition ${partition}: ${baseOffset} follows ${next - 1} (promise 6)`)
      next = endOffset
    }
    if (next !== highWatermark) {
      problems.push(`partition ${partition} ends at ${next}, its high watermark is ${highWatermark} (promise 6)`)
    }
  }
  return problems
}

/** What is in a log was sent to it, byte for byte, and each attempt of sending it is there once at most. */
function checkContents(view: HistoryView): string[] {
  const problems: string[] = []
  for (const { partition, batches } of view.logs.values()) {
    const seen = new Set<string>()
    for (const batch of batches) {
      const key = attemptKey(partition, batch)
      const sent = view.sent.get(key)?.batch
      if (sent === undefined) problems.push(`${name(partition, batch)} was never sent there`)
      else if (sent.crc !== batch.crc || sent.recordCount !== batch.endOffset - batch.baseOffset) {
        problems.push(`${name(partition, batch)} has other bytes than were sent (promise 1)`)
      }
      if (seen.has(key)) problems.push(`${name(partition, batch)} was sent once and is stored twice (promise 3)`)
      seen.add(key)
    }
  }
  return problems
}

/** Promise 1: what was answered with success is where the answer said. */
function checkAnswers(view: HistoryView): string[] {
  const problems: string[] = []
  for (const { client, request, results } of view.of('answer')) {
    for (const { partition, number, baseOffset } of results) {
      if (baseOffset === undefined) continue
      const sent = view.sent.get(attemptKey(partition, { client, request, number }))
      const idempotent = sent?.send.idempotent === true
      const stored = (view.logs.get(partition)?.batches ?? []).filter(
        // A retry is answered with the offset of the attempt that was stored.
        (batch) => batch.client === client && batch.number === number && (idempotent || batch.request === request),
      )
      if (view.wasDeleted(partition, baseOffset, sent?.batch.recordCount ?? 0, client, number)) continue
      const what = `batch ${number} of ${client} in partition ${partition}, acknowledged in answer ${request}`
      if (stored.length === 0) problems.push(`${what}, is lost (promise 1)`)
      else if (baseOffset >= 0 && !stored.some((batch) => batch.baseOffset === baseOffset)) {
        problems.push(`${what}, is not at offset ${baseOffset} (promise 1)`)
      }
    }
  }
  return problems
}

function checkProducersFinished(view: HistoryView): string[] {
  return view
    .of('producer-done')
    .filter(({ undone }) => undone > 0)
    .map(
      ({ client, undone }) => `${client} cannot get ${undone} batches written, and nothing fails any more (promise 3)`,
    )
}

/** Promise 3: an idempotent producer's batches are stored exactly once, in the order of their sequences. */
function checkIdempotence(view: HistoryView): string[] {
  const problems: string[] = []
  const idempotent = new Set(view.of('send').flatMap((send) => (send.idempotent ? [send.client] : [])))
  for (const { partition, batches } of view.logs.values()) {
    const next = new Map<string, number>()
    for (const batch of batches.filter(({ client }) => idempotent.has(client))) {
      // Where the log begins later, so may a client's batches.
      const begin = view.logStartOffset(partition) === 0 ? 0 : batch.number
      const expected = next.get(batch.client) ?? begin
      if (batch.number < expected) problems.push(`${name(partition, batch)} is stored again or late (promise 3)`)
      if (batch.number > expected) problems.push(`${name(partition, batch)} comes before batch ${expected} (promise 2)`)
      next.set(batch.client, Math.max(expected, batch.number + 1))
    }
  }
  return problems
}

/** Promise 2: what one connection sent to a partition stands there in the order of sending. */
function checkConnectionOrder(view: HistoryView): string[] {
  const problems: string[] = []
  for (const { partition, batches } of view.logs.values()) {
    const places = new Map<number, number>()
    for (const batch of batches) {
      const sent = view.sent.get(attemptKey(partition, batch))
      if (sent === undefined) continue
      const { connection } = sent.send
      if (sent.place < (places.get(connection) ?? -1)) {
        problems.push(`${name(partition, batch)} was sent before what stands before it (promise 2)`)
      }
      places.set(connection, sent.place)
    }
  }
  return problems
}

/** Promise 6, at every commit: offsets continue the log, and their data is durable already. */
function checkCommits(view: HistoryView): string[] {
  const problems: string[] = []
  const next = new Map<number, number>()
  for (const { segments, highWatermarks } of view.of('commit')) {
    for (const { segmentId, durable, extents } of segments) {
      if (extents.length > 0 && !durable) {
        problems.push(`segment ${segmentId} got offsets and is not in the store (promise 6)`)
      }
      for (const { partition, baseOffset, endOffset } of extents) {
        const expected = next.get(partition) ?? 0
        if (baseOffset !== expected) {
          problems.push(`a commit gave offset ${baseOffset} of partition ${partition}, not ${expected} (promise 6)`)
        }
        next.set(partition, endOffset)
      }
    }
    for (const [partition, highWatermark] of highWatermarks.entries()) {
      if (highWatermark === (next.get(partition) ?? 0)) continue
      problems.push(`partition ${partition} has the high watermark ${highWatermark} after a commit (promise 6)`)
    }
  }
  return problems
}

/** Promise 5: after every commit, all stored batches of a request are below the watermarks, or none. */
function checkAtomicVisibility(view: HistoryView): string[] {
  const problems: string[] = []
  const requests = new Map<string, { readonly partition: number; readonly endOffset: number }[]>()
  for (const { partition, batches } of view.logs.values()) {
    for (const { client, request, endOffset } of batches) {
      const key = `request ${request} of ${client}`
      requests.set(key, [...(requests.get(key) ?? []), { partition, endOffset }])
    }
  }
  const commits = view.of('commit')
  for (const [request, parts] of requests) {
    if (parts.length < 2) continue
    const half = commits.find(({ highWatermarks }) => {
      const visible = parts.filter(({ partition, endOffset }) => endOffset <= (highWatermarks[partition] ?? 0)).length
      return visible > 0 && visible < parts.length
    })
    if (half !== undefined) problems.push(`${request} was half visible at ${half.atMs.toFixed(1)} ms (promise 5)`)
  }
  return problems
}

/** Consumers see the log as it is in the end, whole, and nothing above what is committed. */
function checkPolls(view: HistoryView): string[] {
  const problems: string[] = []
  for (const poll of view.of('poll')) {
    const { partition, fromOffset, committedHighWatermark, batches } = poll
    const who = `${poll.consumer} at ${poll.agent}, partition ${partition} from ${fromOffset}`
    if (poll.highWatermark > committedHighWatermark) {
      problems.push(`${who}: told the high watermark ${poll.highWatermark}, committed is ${committedHighWatermark}`)
    }
    const log = view.logs.get(partition)?.batches ?? []
    // What has been deleted since is compared with what others read there: `checkBelowLogStart`.
    const begin = Math.max(fromOffset, view.logStartOffset(partition))
    const start = log.findIndex(({ endOffset }) => endOffset > begin)
    const kept = batches.filter(({ endOffset }) => endOffset > view.logStartOffset(partition))
    for (const [index, batch] of kept.entries()) {
      if (batch.endOffset > committedHighWatermark)
        problems.push(`${who}: read ${batch.endOffset - 1} before its commit`)
      const stored = start < 0 ? undefined : log[start + index]
      if (!isSame(batch, stored))
        problems.push(`${who}: read what is not in the log at ${batch.baseOffset} (promise 6)`)
    }
  }
  return problems
}

/** What was read below the log start, before it was there, was sent so, and everybody read the same. */
function checkBelowLogStart(view: HistoryView): string[] {
  const problems: string[] = []
  const known = new Map<string, ReadBatch>()
  for (const { consumer, partition, fromOffset, batches } of view.of('poll')) {
    const who = `${consumer}, partition ${partition} from ${fromOffset}`
    for (const [index, batch] of batches.entries()) {
      const before = batches[index - 1]?.endOffset
      const follows = before === undefined ? batch.baseOffset <= fromOffset : batch.baseOffset === before
      if (!follows || batch.endOffset <= fromOffset)
        problems.push(`${who}: ${batch.baseOffset} has no place (promise 6)`)
      const key = `${partition}/${batch.baseOffset}`
      const sent = view.sent.get(attemptKey(partition, batch))?.batch
      const same = isSame(batch, known.get(key) ?? batch)
      if (!same || sent?.crc !== batch.crc) problems.push(`${who}: ${batch.baseOffset} has other bytes (promise 1)`)
      known.set(key, batch)
    }
  }
  for (const event of view.of('out-of-range')) {
    const { consumer, partition, fromOffset, toldLogStartOffset, logStartOffset } = event
    if (fromOffset < toldLogStartOffset && toldLogStartOffset <= logStartOffset) continue
    problems.push(`${consumer} was told that partition ${partition} begins at ${toldLogStartOffset} (promise 1)`)
  }
  return problems
}

function isSame(batch: ReadBatch, stored: ReadBatch | undefined): boolean {
  return stored?.baseOffset === batch.baseOffset && stored.endOffset === batch.endOffset && stored.crc === batch.crc
}

/** Every committed object is there, and of the others none is left once the sweep had its time. */
function checkStore(view: HistoryView): string[] {
  return view.of('final-store').flatMap(({ objectKeys, committedKeys }) => {
    const missing = committedKeys.filter((key) => !objectKeys.includes(key))
    const orphans = objectKeys.filter((key) => !committedKeys.includes(key))
    return [
      ...missing.map((key) => `${key} is committed and not in the store (promise 1)`),
      ...orphans.map((key) => `${key} is an orphan that no sweep found`),
    ]
  })
}

function name(partition: number, { client, request, number }: ReadBatch): string {
  return `batch ${number} of ${client} (request ${request}) in partition ${partition}`
}
