# watch.sh - sourced by scripts/demo: counts what subscribers receive, shows the
# latest values, and says in the end what was lost.
#
#   wirepost sub -v  ->  fifo  ->  watch_count (a process)  ->  NAME.now, once a second
#
# Needs from the caller: $folder, start, stop. A NAME.now holds lines of words:
#
#   messages COUNT                    all, but the topic wp/demo/state
#   device NAME FIRST LAST GAPS       of the seq in its json
#   value DEVICE/TAG UNIT VALUE       the latest; - for no unit or no value

# watch_start NAME COMMAND...: the command prints "topic payload" lines.
watch_start()
{
    local name=$1
    shift

    mkfifo "$folder/$name.fifo"
    watch_count "$name" <"$folder/$name.fifo" &
    watch_pid[$name]=$!
    start "$name" bash -c 'exec "$@" >"$0"' "$folder/$name.fifo" "$@"
}

declare -A watch_pid=()

# Ends the subscriber and waits for the last of what it received to be counted.
watch_stop()
{
    stop "$1" || true
    wait "${watch_pid[$1]}" || true
}

watch_count()
{
    local name=$1 topic payload status messages=0 shown=-1 counting=
    declare -A first=() last=() gaps=() value=() unit=()

    trap '' INT
    while :; do
        status=0
        IFS=' ' read -r -t 1 topic payload || status=$?
        [ -n "$counting" ] || { [ -e "$folder/$name.counts" ] && counting=yes; } || status=200
        if [ $status = 0 ]; then
            watch_take
        elif [ $status -le 128 ]; then
            break # the subscriber has ended
        fi
        if [ $shown != $SECONDS ]; then
            shown=$SECONDS
            watch_write
        fi
    done
    watch_write
}

# One message, into the variables of watch_count.
watch_take()
{
    local device tag

    case $topic in
    wp/demo/state | */wp/demo/state) return ;;
    */json) watch_take_seq ;;
    */devices) watch_take_units ;;
    */d/*/v/*)
        device=${topic#*/d/} tag=${topic##*/v/}
        value[${device%%/v/*}/$tag]=${payload:--}
        ;;
    esac
    messages=$((messages + 1))
}

watch_take_seq()
{
    local device=${topic#*/d/} seq

    device=${device%/json}
    [[ $payload =~ \"seq\":([0-9]+) ]] || return 0
    seq=${BASH_REMATCH[1]}
    if [ -z "${first[$device]:-}" ]; then
        first[$device]=$seq last[$device]=$seq gaps[$device]=0
    elif ((seq > last[$device])); then
        gaps[$device]=$((gaps[$device] + seq - last[$device] - 1))
        last[$device]=$seq
    fi
}

watch_take_units()
{
    local rest=$payload device=

    while [[ $rest =~ \"([^\"]+)\":\{\"(bus|unit)\":\"([^\"]*)\" ]]; do
        if [ "${BASH_REMATCH[2]}" = bus ]; then
            device=${BASH_REMATCH[1]}
        else
            unit[$device/${BASH_REMATCH[1]}]=${BASH_REMATCH[3]:--}
        fi
        rest=${rest#*"${BASH_REMATCH[0]}"}
    done
}

watch_write()
{
    local key

    {
        echo "messages $messages"
        for key in "${!first[@]}"; do
            echo "device $key ${first[$key]} ${last[$key]} ${gaps[$key]}"
        done
        for key in "${!value[@]}"; do
            echo "value $key ${unit[$key]:--} ${value[$key]}"
        done
    } >"$folder/$name.new"
    mv "$folder/$name.new" "$folder/$name.now"
}

# Counting begins with this; what came before was kept by the broker from an earlier run.
watch_from_here()
{
    touch "$folder/$1.counts"
}

watch_messages()
{
    sed -n 's/^messages //p' "$folder/$1.now" 2>/dev/null || echo 0
}

# Lines of "DEVICE/TAG UNIT VALUE", with numbers cut to what a person reads.
watch_values()
{
    sed -n 's/^value //p' "$folder/$1.now" 2>/dev/null | sort |
        awk '{ value = $3 ~ /^-?[0-9]+\.[0-9]+$/ ? sprintf("%.6g", $3) : $3; print $1, $2, value }'
}

# The latest values: on a terminal a table that refreshes itself, else some of each device now and then.
watch_show()
{
    local values count

    values=$(watch_values "$1")
    [ -n "$values" ] || return 0
    count=$(watch_messages "$2")
    if [ -t 1 ]; then
        watch_table "$values" "$count"
    elif ((SECONDS % 5 == 0)); then
        awk -v now="$(date +%T)" -v count="$count" '
            { device = $1; sub("/.*", "", device) }
            shown[device]++ < 2 { line = line $1 " " $3 ($2 == "-" ? "" : " " $2) ", " }
            END { print now, line "arrived upstream " count }' <<<"$values"
    fi
}

# Two columns where the screen is wide; where it is too low, fewer tags of those devices that have most.
watch_table()
{
    local height width table

    read -r height width < <(stty size 2>/dev/null) || height=24 width=80
    table=$(awk -v room="$((height - 4))" -v columns=$((width < 104 ? 1 : 2)) '
        {
            of[NR] = $1; sub("/.*", "", of[NR])
            nth[NR] = ++tags[of[NR]]
            cell[NR] = sprintf("  %-30s %11s %-6s", $1, $3, $2 == "-" ? "" : $2)
        }
        function shown_with(most,    device, sum) {
            for (device in tags) sum += tags[device] < most ? tags[device] : most
            return sum
        }
        END {
            most = NR
            while (most > 1 && shown_with(most) > room * columns) most--
            rows = int((shown_with(most) + columns - 1) / columns)
            for (i = 1; i <= NR; i++)
                if (nth[i] <= most) line[at % rows] = line[at++ % rows] cell[i]
            for (row = 0; row < rows; row++) print line[row]
            if (at < NR) printf "  and %d more\n", NR - at
        }' <<<"$1"
        printf '  %-30s %11s' 'arrived at the upstream' "$2")
    [ -z "${watch_height:-}" ] || printf '\e[%dA' "$watch_height"
    watch_height=$(wc -l <<<"$table")
    sed $'s/$/\e[K/' <<<"$table"
}

# Waits, at most 3 s, until nothing more comes.
watch_settle()
{
    local before=-1 now tries=2

    while now=$(watch_messages "$1") && [ "$now" != "$before" ] && ((tries-- > 0)); do
        before=$now
        sleep 1.2
    done
}

# watch_lost HERE THERE HELD: messages that by their seq should be THERE. What lies beyond the
# last that came may still be held in the outbox; a gap before it cannot, for the order is kept.
watch_lost()
{
    awk -v held="$3" '
        $1 != "device" { next }
        NR == FNR { here_first[$2] = $3; here_last[$2] = $4; next }
        {
            lost += $5
            if ($2 in here_first && here_first[$2] < $3) lost += $3 - here_first[$2]
            if (held == 0 && here_last[$2] > $4) lost += here_last[$2] - $4
            delete here_last[$2]
        }
        END {
            for (device in here_last)
                if (held == 0) lost += here_last[device] - here_first[device] + 1
            print lost + 0
        }' "$folder/$1.now" "$folder/$2.now"
}
