/** Scripts of bash, zsh and fish that complete commands, options and files. */
import type { Command, Option } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const

type Shell = (typeof shells)[number]

export function completionFor(shell: Shell, program: Command): string {
  return { bash, zsh, fish }[shell](program)
}

const isFile = ({ flags }: Option): boolean => /<(file|folder|path|config)>/.test(flags)

const optionsOf = (command: Command): readonly Option[] => command.options.filter(({ hidden }) => !hidden)

const longNames = (command: Command): string =>
  [...optionsOf(command).map(({ long }) => long), '--help'].filter((name) => name != null).join(' ')

const namesOf = (program: Command): string => program.commands.map((command) => command.name()).join(' ')

function bash(program: Command): string {
  const cases = program.commands.map((command) => `    ${command.name()}) words="${longNames(command)}" ;;`)
  return `# galvani completion bash > ~/.local/share/bash-completion/completions/galvani
_galvani() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${namesOf(program)} ${longNames(program)}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    completion) words="${shells.join(' ')}" ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _galvani galvani`
}

/** In single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** What brackets and colons mean to zsh's functions. */
const zshText = (text: string): string => text.replaceAll(/[[\]:\\]/g, '\\$&')

function zsh(program: Command): string {
  const list = program.commands.map((command) => `    ${quoted(`${command.name()}:${zshText(command.description())}`)}`)
  const cases = program.commands.map((command) => {
    const options = optionsOf(command).flatMap((option) => {
      const value = option.flags.includes('<') ? `:value:${isFile(option) ? '_files' : ''}` : ''
      return option.long ? [quoted(`${option.long}[${zshText(option.description)}]${value}`)] : []
    })
    const rest = command.name() === 'completion' ? quoted(`1:shell:(${shells.join(' ')})`) : quoted('*:file:_files')
    return `    ${command.name()}) _arguments ${[...options, rest].join(' ')} ;;`
  })
  return `#compdef galvani
# galvani completion zsh > a folder of $fpath, as _galvani
_galvani() {
  local -a names
  names=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command names
    return
  fi
  local name=$words[2]
  words=("\${(@)words[2,-1]}")
  (( CURRENT-- ))
  case $name in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_galvani" ]; then _galvani "$@"; else compdef _galvani galvani; fi`
}

function fish(program: Command): string {
  const names = program.commands.map(
    (command) =>
      `complete -c galvani -f -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.description())}`,
  )
  const options = program.commands.flatMap((command) =>
    optionsOf(command).flatMap((option) => {
      if (!option.long) return []
      const value = option.flags.includes('<') ? (isFile(option) ? ' -r' : ' -x') : ''
      const when = quoted(`__fish_seen_subcommand_from ${command.name()}`)
      return [`complete -c galvani -n ${when} -l ${option.long.slice(2)}${value} -d ${quoted(option.description)}`]
    }),
  )
  return [
    '# galvani completion fish > ~/.config/fish/completions/galvani.fish',
    ...names,
    ...options,
    `complete -c galvani -f -n '__fish_seen_subcommand_from completion' -a ${quoted(shells.join(' '))}`,
  ].join('\n')
}
