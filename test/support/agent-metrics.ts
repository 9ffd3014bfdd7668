import type { AgentProcess } from './agent-process.js'

/** The value of a series without labels on an agent's `/metrics`; NaN where there is none. */
export async function metricOf({ httpPort }: Pick<AgentProcess, 'httpPort'>, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
}
