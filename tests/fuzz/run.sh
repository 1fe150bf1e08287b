#!/usr/bin/env bash
# Fuzzes each TARGET, or all, for SECONDS seconds. Needs no nightly toolchain: the instrumentation that libFuzzer is
# guided by is a pass of LLVM. Ends with an error, and says where the input is, when one breaks something.
#
# usage: tests/fuzz/run.sh SECONDS [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
targets=("$@")
[ ${#targets[@]} != 0 ] || mapfile -t targets < <(basename --suffix=.rs tests/fuzz/fuzz_targets/*.rs)

work=$PWD/target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
# As cargo-fuzz sets them; build scripts and macros are for the host and get none of them.
flags=(
  --cfg fuzzing
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Ccodegen-units=1
)
bins=()
for target in "${targets[@]}"; do
  bins+=(--bin "$target")
done
RUSTFLAGS="${RUSTFLAGS:-} ${flags[*]}" cargo build --release --manifest-path tests/fuzz/Cargo.toml \
  --target "$host" --target-dir "$work/build" "${bins[@]}"

# The samples are corpus, too: documents by their markup, and whole repositories.
archive() { # FOLDER
  (cd "$1" && find . -type f -size -4k -printf '%P\n' | sort | while IFS= read -r path; do
    printf -- '-- %s --\n' "$path"
    cat -- "$path"
    printf '\n'
  done)
}
samples() { # TARGET
  local repo name
  case $1 in
    markdown | rst | asciidoc | plain)
      for repo in samples/*/repo samples/facts/*/repo; do
        name=$(basename "$(dirname "$repo")")
        for readme in "$repo"/README*; do
          [ ! -f "$readme" ] || cp "$readme" "$2/$name"
        done
      done ;;
    whole | manifest)
      for repo in samples/*/repo samples/facts/*/repo; do
        archive "$repo" >"$2/$(basename "$(dirname "$repo")")"
      done ;;
  esac
}

# Files of one run live for milliseconds.
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm
failed=()
for target in "${targets[@]}"; do
  corpus=$work/corpus/$target artifacts=$work/artifacts/$target
  mkdir -p "$corpus" "$artifacts" "$work/samples/$target"
  samples "$target" "$work/samples/$target"
  "$work/build/$host/release/$target" "$corpus" "tests/fuzz/seeds/$target" "$work/samples/$target" \
    -dict=tests/fuzz/dictionary -artifact_prefix="$artifacts/" -max_total_time="$seconds" \
    -max_len=8192 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
    >"$work/$target.log" 2>&1 || failed+=("$target")
  echo "$target: $(sed -nE 's/^stat::number_of_executed_units: *//p' "$work/$target.log") runs, $(ls "$corpus" | wc -l) inputs"
done
[ ${#failed[@]} = 0 ] || {
  for target in "${failed[@]}"; do
    grep -aE 'panicked at|ERROR: libFuzzer|Test unit written' -A 1 "$work/$target.log" | cut -c 1-200 >&2
  done
  echo "failed: ${failed[*]}; keep the input as tests/fuzz/seeds/TARGET/what_it_shows" >&2
  exit 1
}
