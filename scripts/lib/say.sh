# say.sh - sourced: how the scripts speak. Words for people go to stderr, so
# that stdout holds results only.

if [ -t 2 ]; then
    say_bold=$'\e[1m' say_red=$'\e[31m' say_plain=$'\e[0m'
else
    say_bold='' say_red='' say_plain=''
fi

say()
{
    printf '%s==>%s %s\n' "$say_bold" "$say_plain" "$*" >&2
}

complain()
{
    printf '%s%s: %s%s\n' "$say_red" "${0##*/}" "$*" "$say_plain" >&2
}

die()
{
    complain "$@"
    exit 1
}

# The comment block at the top of the running script is its help.
show_help()
{
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
}
