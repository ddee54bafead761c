# Completion of turnkey's commands in fish. In config.fish: turnkey completion fish | source
function __turnkey_answer
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines ($program completion answer fish $words "$current" 2>/dev/null)
    set -l kind "$lines[1]"
    set -e lines[1]
    switch $kind
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current" ""
        case words
            test (count $lines) -gt 0; and printf '%s\n' $lines
    end
end
complete -c turnkey -f -a '(__turnkey_answer)'
