/** `name=value` arguments as an object. @throws Error naming the argument that is none */
export function parseAssignments(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new Error(`${JSON.stringify(text)} is not of the form name=value`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
