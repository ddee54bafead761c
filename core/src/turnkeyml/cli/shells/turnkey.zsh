#compdef turnkey
# Completion of turnkey's commands in zsh. In ~/.zshrc, after compinit: eval "$(turnkey completion zsh)"
_turnkey() {
    local -a lines values texts
    local line
    lines=("${(@f)$("${(Q)words[1]}" completion answer zsh \
        "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case $lines[1] in
        files)
            compset -P '--*='
            _files
            ;;
        folders)
            compset -P '--*='
            _files -/
            ;;
        words)
            for line in "${(@)lines[2,-1]}"; do
                values+=("${line%%$'\t'*}")
                texts+=("${line%%$'\t'*}  ${line#*$'\t'}")
            done
            compadd -l -d texts -a values
            ;;
    esac
}
if [[ $funcstack[1] == _turnkey ]]; then
    _turnkey "$@"
else
    compdef _turnkey turnkey
fi
