"""The completion scripts for bash, zsh and fish, made of the words of the commands.

The program is a module that Python runs, not an executable. Libraries such as shtab complete an
executable by its name, and argcomplete starts Python at each Tab, so neither fits. Each script
completes ``python`` and ``python3``, and passes on whatever is not this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pulumi_huaweicloud_cbr.commands.about.completion.words import (
    DIRECTORIES,
    FILES,
    TEXT,
    Command,
    Option,
)

MODULE = "pulumi_huaweicloud_cbr"
STARTS = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/config.fish"}
"""The start-up files, in which a line is to source the script."""


def bash(commands: Sequence[Command], general: Sequence[Option]) -> str:
    """Return the script for bash, also that of macOS (3.2)."""
    names = " ".join(one.name for one in commands)
    first = " ".join([names, *(option.name for option in general)])
    return f"""\
# Completion of python -m {MODULE}, for bash.
# Save it to a file, and add to {STARTS["bash"]}: source FILE
_{MODULE}() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command= words= at i
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD - 1; at++)); do
        [[ ${{COMP_WORDS[at]}} = -m && ${{COMP_WORDS[at + 1]}} = {MODULE} ]] && break
    done
    if ((at >= COMP_CWORD - 1)); then
        # Not this module: as before.
        [[ -n ${{_{MODULE}_before-}} ]] && "$_{MODULE}_before" "$@"
        return
    fi
    for ((i = at + 2; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
        {names.replace(" ", "|")})
            command=${{COMP_WORDS[i]}}
            break
            ;;
        esac
    done
    case "$command $previous" in
{_bash_values(commands)}
    esac
    case $command in
    '') words='{first}' ;;
{_joined(_bash_words(commands))}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ ${{#COMPREPLY[@]}} = 0 ]] && compopt +o default +o bashdefault 2>/dev/null
    return 0
}}
# bash-completion loads what it has for Python on demand: now, to pass on to it.
if declare -F _comp_load >/dev/null; then
    _comp_load python
elif declare -F _completion_loader >/dev/null; then
    _completion_loader python
fi
[[ $(complete -p python 2>/dev/null) =~ -F\\ ([^ ]+) && ${{BASH_REMATCH[1]}} != _{MODULE} ]] &&
    _{MODULE}_before=${{BASH_REMATCH[1]}}
complete -o bashdefault -o default -F _{MODULE} python python3
"""


def _bash_values(commands: Iterable[Command]) -> str:
    """Return the cases of options with a value: bash completes files, and no other value."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for command in commands:
        for option in command.options:
            if option.takes is not None:
                found[option.takes != TEXT].append(f"'{command.name} {option.name}'")
    no_files = "compopt +o default +o bashdefault 2>/dev/null; return"
    rows = [(found[True], "return"), (found[False], no_files)]
    return _joined(f"    {'|'.join(cases)}) {action} ;;" for cases, action in rows if cases)


def _bash_words(commands: Iterable[Command]) -> Iterable[str]:
    for command in commands:
        words = [*command.choices, *(option.name for option in command.options)]
        yield f"    {command.name}) words='{' '.join(words)}' ;;"


def zsh(commands: Sequence[Command], general: Sequence[Option]) -> str:
    """Return the script for zsh."""
    rows = _joined(f"        {_quoted(f'{one.name}:{one.help}')}" for one in commands)
    return f"""\
# Completion of python -m {MODULE}, for zsh.
# Save it to a file, and add to {STARTS["zsh"]}, after compinit: source FILE
_{MODULE}() {{
    local -i at=${{words[(i){MODULE}]}}
    if ((at < 3 || at >= CURRENT)) || [[ ${{words[at - 1]}} != -m ]]; then
        # Not this module: as before.
        autoload -Uz _python
        _python "$@"
        return
    fi
    local curcontext=$curcontext state line
    local -a commands
    commands=(
{rows}
    )
    words=("${{(@)words[at, -1]}}")
    ((CURRENT -= at - 1))
    _arguments -C {_zsh_options(general)} \\
        '1:command:->command' '*::option:->option'
    case $state in
    command) _describe command commands ;;
    option)
        case ${{words[1]}} in
{_joined(_zsh_command(one) for one in commands)}
        esac
        ;;
    esac
}}
(($+functions[compdef])) || {{ autoload -Uz compinit && compinit }}
compdef _{MODULE} python python3
"""


def _zsh_command(command: Command) -> str:
    options = _zsh_options(command.options)
    choices = f" '*:word:({' '.join(command.choices)})'" if command.choices else ""
    return f"        {command.name}) _arguments {options}{choices} ;;"


def _zsh_options(options: Iterable[Option]) -> str:
    values = {None: "", TEXT: ":value:", FILES: ":file:_files", DIRECTORIES: ":directory:_files -/"}
    marked = str.maketrans({"[": "\\[", "]": "\\]", ":": "\\:"})
    return " ".join(
        _quoted(f"*{option.name}[{option.help.translate(marked)}]{values[option.takes]}")
        for option in options
    )


def fish(commands: Sequence[Command], general: Sequence[Option]) -> str:
    """Return the script for fish."""
    names = " ".join(one.name for one in commands)
    lines = [f"{_fish('')} -f -a {one.name} -d {_quoted(one.help)}" for one in commands]
    lines += [_fish_option("", option) for option in general]
    for command in commands:
        lines += [f"{_fish(command.name)} -f -a {_quoted(one)}" for one in command.choices]
        lines += [_fish_option(command.name, option) for option in command.options]
    return f"""\
# Completion of python -m {MODULE}, for fish.
# Save it to a file, and add to {STARTS["fish"]}: source FILE
function __{MODULE} --description 'Whether a command of {MODULE} is completed, and which'
    set -l words (commandline -opc)
    set -l at (contains -i -- {MODULE} $words); or return 1
    set -l before (math $at - 1)
    test $before -ge 1; and test "$words[$before]" = -m; or return 1
    test "$argv[1]" = any; and return 0
    for word in $words[$at..-1]
        if contains -- $word {names}
            test "$argv[1]" = $word
            return
        end
    end
    test -z "$argv[1]"
end
complete -c python -c python3 -n '__{MODULE} any' -f
{_joined(lines)}
"""


def _fish(command: str) -> str:
    return f"complete -c python -c python3 -n '__{MODULE} \"{command}\"'"


def _fish_option(command: str, option: Option) -> str:
    values = {None: "", TEXT: " -x", FILES: " -r -F", DIRECTORIES: " -r -F"}
    name = option.name.removeprefix("--")
    return f"{_fish(command)} -l {name}{values[option.takes]} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """Return a text in single quotes; no help text needs one of its own."""
    return "'" + text.replace("'", "\u2019") + "'"


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines)


SCRIPTS: dict[str, Callable[[Sequence[Command], Sequence[Option]], str]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
}
