export interface Prerequisite {
  readonly name: string
  /** Any one of them will do. */
  readonly programs: readonly string[]
  /** Where they have to be; undefined: on the PATH. */
  readonly place?: string
  readonly debianPackages: readonly string[]
  /** When this variable is set the tests use what it names instead. */
  readonly substituteEnv?: string
}

export interface MissingProgram {
  readonly name: string
  readonly debianPackages: readonly string[]
  /** What to do about it. */
  readonly hint: string
}

export function missingPrograms(
  prerequisites: readonly Prerequisite[],
  exists: (program: string, place?: string) => boolean,
  env: Readonly<Record<string, string | undefined>>,
): MissingProgram[] {
  return prerequisites
    .filter(({ programs, place, substituteEnv }) => {
      const isThere = programs.some((program) => exists(program, place))
      return !isThere && !(substituteEnv && env[substituteEnv])
    })
    .map(({ name, programs, place = 'the PATH', debianPackages, substituteEnv }) => {
      const substitute = substituteEnv === undefined ? '' : `, or set ${substituteEnv}`
      const install = `On Debian: apt-get install ${debianPackages.join(' ')}`
      return { name, debianPackages, hint: `Put ${programs.join(' or ')} on ${place}${substitute}. ${install}` }
    })
}
