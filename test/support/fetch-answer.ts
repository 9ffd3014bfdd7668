import type { FetchRequest, FetchResult, LogReader } from '../../engine/broker.js'

/** A fetch whose answer is the caller's to keep, as one is that has left for its client. */
export async function fetchAnswer(
  reader: Pick<LogReader, 'fetch'>,
  request: Omit<FetchRequest, 'whenSent'>,
): Promise<readonly FetchResult[]> {
  let sent = () => {}
  const whenSent = (release: () => void) => {
    sent = release
  }
  const results = await reader.fetch({ ...request, whenSent })
  const copies = results.map((result) => ({ ...result, chunks: result.chunks.map((chunk) => chunk.slice()) }))
  sent()
  return copies
}
