import { UserError } from '../../model/errors.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/**
 * What a shell sources. All knowledge is in the program: the script hands over the words up to the cursor and gets one
 * candidate a line, with a description after a tab; the line `:files` asks for file names besides.
 */
export function completionScript(shell: Shell): string {
  return scripts[shell].replaceAll('PROGRAM', 'meshtriage')
}

export function readShell(text: string): Shell {
  const name = text.replace(/^.*\//, '')
  const shell = shells.find((known) => known === name)
  if (shell) return shell
  throw new UserError(`no completion for ${text}`, `there is one for: ${shells.join(', ')}`)
}

const bash = `# bash completion for PROGRAM. Add to ~/.bashrc:  source <(PROGRAM completion bash)
_PROGRAM() {
  local cur cword line files=
  local -a words
  if declare -F _get_comp_words_by_ref >/dev/null; then
    # Targets hold colons, at which bash would cut them.
    _get_comp_words_by_ref -n =: cur words cword
  else
    words=("\${COMP_WORDS[@]}")
    cword=$COMP_CWORD
    cur=\${COMP_WORDS[COMP_CWORD]}
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <(PROGRAM completion complete -- "\${words[@]:1:cword}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o default 2>/dev/null
  fi
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[/.] ]]; then
    compopt -o nospace 2>/dev/null
  fi
  if declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "$cur"
  fi
  return 0
}
complete -F _PROGRAM PROGRAM
`

const zsh = `#compdef PROGRAM
# zsh completion for PROGRAM. Add to ~/.zshrc:  source <(PROGRAM completion zsh)
_PROGRAM() {
  local line value about files
  local -a lines found
  lines=("\${(@f)$(PROGRAM completion complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    value=\${line%%$'\\t'*}
    about=
    [[ $line == *$'\\t'* ]] && about=\${line#*$'\\t'}
    found+=("\${value//:/\\\\:}\${about:+:$about}")
  done
  (( \${#found} )) && _describe 'PROGRAM' found
  [[ -n $files ]] && _files
  return 0
}
if [[ \${funcstack[1]} == _PROGRAM ]]; then
  _PROGRAM
else
  compdef _PROGRAM PROGRAM
fi
`

const fish = `# fish completion for PROGRAM. Save as ~/.config/fish/completions/PROGRAM.fish
function __PROGRAM_complete
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1]
    for line in (PROGRAM completion complete -- $words 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
