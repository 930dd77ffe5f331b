# build.sh - sourced: configure and compile one CMake preset.

# Where a preset's build lies; as in CMakePresets.json.
build_dir()
{
    if [ "$1" = release ]; then
        echo build
    else
        echo "build/$1"
    fi
}

# build_preset PRESET [TARGET...]; prints only when something goes wrong.
build_preset()
{
    local preset=$1 dir log
    shift

    dir=$(build_dir "$preset")
    mkdir -p "$dir"
    log=$dir/build.log
    {
        cmake --preset "$preset" &&
            cmake --build "$dir" -j "$(nproc)" ${1:+--target "$@"}
    } >"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        die "building $dir failed (all of it: $log)"
    }
}
