/** Completion scripts: each hands the words to `gantry __complete` and offers the lines that come back (`word` or `word<TAB>description`). */
export const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for gantry
_gantry() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do
    line="\${line%%$'\\t'*}"
    [ "$line" = ':files' ] && { COMPREPLY+=($(compgen -f -- "$cur")); continue; }
    [[ "$line" == "$cur"* ]] && COMPREPLY+=("$line")
  done < <(gantry __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _gantry gantry
`,
  zsh: `#compdef gantry
_gantry() {
  local -a items
  local line word
  for line in "\${(@f)$(gantry __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z "$line" ]] && continue
    if [[ "$line" == ':files' ]]; then _files; continue; fi
    word="\${line%%$'\\t'*}"
    if [[ "$line" == *$'\\t'* ]]; then items+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); else items+=("\${word//:/\\\\:}"); fi
  done
  (( \${#items} )) && _describe 'gantry' items
}
compdef _gantry gantry
`,
  fish: `# fish completion for gantry
function __gantry_complete
  set -l words (commandline -opc) (commandline -ct)
  gantry __complete -- $words[2..-1] 2>/dev/null | string match -v ':files'
end
complete -c gantry -f -a '(__gantry_complete)'
complete -c gantry -n 'gantry __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null | string match -q ":files"' -F
`,
};
