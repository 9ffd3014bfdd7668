export async function benchmarkScale(): Promise<never[]> {
  return []
}
