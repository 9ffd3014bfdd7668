/** `headrace`: an agent from code. The codecs of the bucket are `headrace/format`. */
export { HeadraceError, type HeadraceErrorCode, isHeadraceError, type Retry } from '../engine/errors.js'
export { type Agent, startAgent } from './agent.js'
export type { AgentConfig, AgentOptions, HostPort } from './config/index.js'
