# packages.sh - sourced: packages_need SECTION... installs what the sections of
# scripts/packages name and this Debian does not have. With everything there it
# asks dpkg once and touches nothing. Where it may not install (no root, no
# sudo, or WIREPOST_INSTALL=no) it says exactly what is missing.

packages_list="${BASH_SOURCE[0]%/lib/*}/packages"

# One line for each package of the sections: its name, or "a|b" for alternatives.
packages_named()
{
    local section

    for section; do
        awk -v want="[$section]" '
            { sub(/#.*/, ""); gsub(/[ \t]/, "") }
            /^\[/ { inside = $0 == want; next }
            inside && $0 != ""' "$packages_list"
    done | sort -u
}

packages_installed()
{
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | awk '$2 == "installed" { print $1 }'
}

# Of the lines of packages_named on stdin, those without any alternative installed.
packages_missing()
{
    local lines there line name

    mapfile -t lines
    there=" $(packages_installed $(printf '%s ' "${lines[@]//|/ }") | tr '\n' ' ')"
    for line in "${lines[@]}"; do
        for name in ${line//|/ }; do
            [[ $there == *" $name "* ]] && continue 2
        done
        echo "$line"
    done
}

packages_known()
{
    apt-cache show --no-all-versions "$1" >/dev/null 2>&1
}

# Of each line on stdin the first alternative that apt knows. Fails if it knows none.
packages_pick()
{
    local line name

    while read -r line; do
        for name in ${line//|/ }; do
            packages_known "$name" && echo "$name" && continue 2
        done
        complain "apt knows no package $line"
        return 1
    done
}

packages_as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

packages_may_install()
{
    [ "${WIREPOST_INSTALL:-yes}" != no ] || return 1
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || [ -t 0 ]
}

packages_update()
{
    say "apt-get update"
    packages_as_root apt-get -q update >"$packages_log" 2>&1
}

packages_get()
{
    packages_as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install "$@" >>"$packages_log" 2>&1
}

# Debian's mosquitto package starts a broker on port 1883 and has it started at
# each boot. The tests only need the program: hold the start back while it is
# installed, then disable it. Who already has mosquitto keeps it as it is, and
# `systemctl enable --now mosquitto` turns it on later.
packages_hold_services()
{
    packages_policy=/usr/sbin/policy-rc.d
    if [ -e "$packages_policy" ]; then
        packages_policy=
        return
    fi
    printf '#!/bin/sh\n# Temporary, by wirepost: do not start mosquitto while it is installed.\n[ "$1" != mosquitto ] || exit 101\n' |
        packages_as_root tee "$packages_policy" >/dev/null
    packages_as_root chmod 755 "$packages_policy"
}

packages_release_services()
{
    [ -z "$packages_policy" ] || packages_as_root rm -f "$packages_policy"
    if command -v systemctl >/dev/null && systemctl is-enabled --quiet mosquitto 2>/dev/null; then
        packages_as_root systemctl disable --now mosquitto >>"$packages_log" 2>&1 || true
    fi
}

packages_install()
(
    packages_log=$(mktemp)
    trap 'rm -f "$packages_log"' EXIT
    updated=

    names=$(packages_pick <<<"$1" 2>/dev/null) || {
        packages_update && updated=yes && names=$(packages_pick <<<"$1")
    } || {
        cat "$packages_log" >&2
        exit 1
    }

    if grep -qx mosquitto <<<"$names"; then
        trap 'packages_release_services; rm -f "$packages_log"' EXIT
        packages_hold_services
    fi
    say "installing" $names
    # Lists that are too old name files that are gone: renew them once.
    packages_get $names && exit
    [ -z "$updated" ] && packages_update && packages_get $names && exit
    tail -n 20 "$packages_log" >&2
    complain "apt-get could not install the packages"
    exit 1
)

packages_need()
{
    local missing

    if ! command -v dpkg-query >/dev/null; then
        complain "not a Debian system: continuing without looking for packages (scripts/packages lists them)"
        return 0
    fi
    missing=$(packages_named "$@" | packages_missing)
    [ -n "$missing" ] || return 0

    if packages_may_install; then
        packages_install "$missing"
        return
    fi
    complain "these Debian packages are missing:" $missing
    echo "  install them with: sudo apt-get install --no-install-recommends" $(sed 's/|.*//' <<<"$missing") >&2
    return 1
}
