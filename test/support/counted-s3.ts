import { type CountingProxy, startCountingProxy } from './counting-proxy.js'
import { startS3Server } from './s3-server.js'

/** An S3 server behind a proxy that counts what is asked of it. */
export interface CountedS3 {
  /** As `S3Server.url`, by way of the proxy. */
  readonly url: string
  readonly proxy: CountingProxy
  stop(): Promise<void>
}

export async function startCountedS3(): Promise<CountedS3> {
  const s3 = await startS3Server()
  const proxy = await startCountingProxy(s3.endpoint)
  return {
    url: s3.url.replace(s3.endpoint, proxy.endpoint),
    proxy,
    stop: async () => {
      await proxy.close()
      await s3.stop()
    },
  }
}
