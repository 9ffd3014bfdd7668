import type { RequestContext } from '../../../adapters/kafka/context.js'
import { DEFAULT_KAFKA_SETTINGS } from '../../../adapters/kafka/settings.js'
import { FetchTurns } from '../../../engine/fetch/index.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { FakeBroker } from './fake-broker.js'

/** What a handler is called with, over a fake broker. */
export function fakeContext(): Omit<RequestContext, 'broker'> & { readonly broker: FakeBroker } {
  return {
    broker: new FakeBroker(),
    settings: DEFAULT_KAFKA_SETTINGS,
    logger: NO_LOGGER,
    fetchTurns: new FetchTurns(),
    client: { clientId: 'test', remoteAddress: '127.0.0.1' },
    signal: new AbortController().signal,
    whenSent: (release) => release(),
  }
}
