/** Structured logging as the engine needs it; pino satisfies it. Fields first, then one plain sentence. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const NO_LOGGER: Logger = { debug() {}, info() {}, warn() {}, error() {} }
