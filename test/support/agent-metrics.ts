import type { AgentProcess } from './agent-process.js'

/** The value of a series on an agent's `/metrics`, named as it stands there, labels included; NaN where there is none. */
export async function metricOf({ httpPort }: Pick<AgentProcess, 'httpPort'>, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length),
  )
}
