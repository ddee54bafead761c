# Completion of turnkey's commands in bash. In ~/.bashrc: eval "$(turnkey completion bash)"
_turnkey() {
    local -a lines
    COMPREPLY=()
    mapfile -t lines < <(
        "$1" completion answer bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null
    )
    case ${lines[0]-} in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
        words) COMPREPLY=("${lines[@]:1}") ;;
    esac
}
complete -F _turnkey turnkey
