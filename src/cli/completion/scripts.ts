/** Completion scripts: each hands the words to `gantry __complete` and offers the lines that come back (`word` or `word<TAB>description`). */
export const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for gantry
_gantry() {
  local own="\${COMP_WORDS[COMP_CWORD]}" rest="\${COMP_LINE:0:COMP_POINT}" part line cut at
  local -a words=()
  # Bash ends words at ':' and '=' too (COMP_WORDBREAKS): what stands without a blank between is one word here.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    part="\${COMP_WORDS[at]}"
    if ((at > 0)) && [[ "$rest" != [[:blank:]]* ]]; then
      words[\${#words[@]}-1]+="$part"
    else
      words+=("$part")
      rest="\${rest#"\${rest%%[![:blank:]]*}"}"
    fi
    rest="\${rest#"$part"}"
  done
  [[ "$own" == [:=] ]] && own=
  local whole="\${words[\${#words[@]}-1]}"
  cut="\${whole%"$own"}"
  COMPREPLY=()
  while IFS= read -r line; do
    line="\${line%%$'\\t'*}"
    [ "$line" = ':files' ] && { COMPREPLY+=($(compgen -f -- "$own")); continue; }
    [[ "$line" == "$whole"* ]] && COMPREPLY+=("\${line#"$cut"}")
  done < <(gantry __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _gantry gantry
`,
  zsh: `#compdef gantry
_gantry() {
  local -a items
  local line word joined
  # The value of --flag=VALUE is completed by itself.
  if [[ "$words[CURRENT]" == --*=* ]]; then joined="\${words[CURRENT]%%=*}="; fi
  for line in "\${(@f)$(gantry __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z "$line" ]] && continue
    if [[ "$line" == ':files' ]]; then
      [[ -n "$joined" ]] && compset -P '*='
      _files
      continue
    fi
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
