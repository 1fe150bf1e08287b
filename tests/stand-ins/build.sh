#!/usr/bin/env bash
# Provides the base images that generated files ask for: the official ones where a registry is reachable, else stand-ins.
#
#   build.sh [IMAGE...]    the images of the table `images` that are named; without names, all of them
#
# An official image that is present stays untouched. Stand-ins carry the label io.longshore.stand-in=true, and the hash of
# the recipe they were made from: after an edit here they, and those built on them, are made anew.
# Fails if an image that can be made was not. One that this machine lacks the ingredients for is only reported.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/apt.sh

here=tests/stand-ins
work=target/stand-ins
workers=2
buildx=(docker buildx)

declare -a images=()                                  # in the table's order
declare -A recipe_of=() base_of=() arguments_of=()    # the table's columns
declare -A hash_of=()                                 # of the recipe as it is now
declare -A state_of=()                                # official, current or outdated; unset: not present

main() {
  read_table
  local image
  local -a wanted=("$@") todo=()
  [ $# -gt 0 ] || wanted=("${images[@]}")
  for image in "${wanted[@]}"; do
    [ -n "${recipe_of[$image]:-}" ] || fail "\`$image\` is not in $here/images"
  done

  docker version >/dev/null 2>&1 || fail "no Docker engine answers: run tests/setup/engine.sh first"
  compute_hashes
  look_at_engine
  for image in "${wanted[@]}"; do
    needs_work "$image" && todo+=("$image")
  done
  if [ ${#todo[@]} -gt 0 ]; then
    provide "${todo[@]}" || failed=1
    look_at_engine
  fi
  summarise "${wanted[@]}"
  exit "${failed:-0}"
}

read_table() {
  local image recipe base arguments
  while read -r image recipe base arguments; do
    [[ -n $image && $image != \#* ]] || continue
    images+=("$image")
    recipe_of[$image]=$recipe
    base_of[$image]=${base#-}
    arguments_of[$image]=$arguments
  done <$here/images
}

# The hash of an image covers everything it is made from. A base stands above its images in the table.
compute_hashes() {
  local image recipe
  local -A files=()
  for recipe in "${recipe_of[@]}"; do
    [ -n "${files[$recipe]:-}" ] || files[$recipe]=$(cat $here/apt-install "$here/$recipe"/* | sha256sum)
  done
  for image in "${images[@]}"; do
    hash_of[$image]=$(sha256sum <<<"${files[${recipe_of[$image]}]} ${hash_of[${base_of[$image]:-none}]:-} ${arguments_of[$image]}")
    hash_of[$image]=${hash_of[$image]:0:16}
  done
}

look_at_engine() {
  local tags hash tag
  state_of=()
  while IFS='|' read -r tags hash; do
    for tag in $tags; do
      case $hash in
        '') state_of[$tag]=official ;;
        "${hash_of[$tag]:-}") state_of[$tag]=current ;;
        *) state_of[$tag]=outdated ;;
      esac
    done
  done < <(docker image inspect "${images[@]}" \
    --format '{{range .RepoTags}}{{.}} {{end}}|{{index .Config.Labels "io.longshore.stand-in.recipe"}}' 2>/dev/null)
}

needs_work() {
  [[ ${state_of[$1]:-} != official && ${state_of[$1]:-} != current ]]
}

# Pulls or makes the images given, a few at a time.
provide() {
  local image status=0
  mkdir -p $work/{context,lock,log}
  registry=unreachable
  for image in "$@"; do # one try tells whether there is a registry
    [ -z "${state_of[$image]:-}" ] || continue
    if timeout 30 docker pull --quiet "$image" >$work/log/pull 2>&1; then registry=reachable; fi
    break
  done
  if [ $registry = unreachable ]; then
    echo "no registry is reachable: making stand-ins" >&2
    find_buildx
  fi

  for image in "$@"; do
    if [ "$(jobs -rp | wc -l)" -ge $workers ]; then wait -n || status=1; fi
    provide_one "$image" &
  done
  while [ -n "$(jobs -p)" ]; do
    wait -n || status=1
  done
  return $status
}

# The plugin that newer clients need to build with BuildKit also runs by itself.
find_buildx() {
  if docker buildx version >/dev/null 2>&1; then return; fi
  [ -x target/tools/bin/docker-buildx ] || unpack_from trixie docker-buildx
  buildx=(target/tools/bin/docker-buildx)
}

provide_one() {
  local image=$1
  (
    flock 9 # whoever needs the same base waits here
    look_at_engine
    needs_work "$image" || exit 0
    if [ $registry = reachable ] && pull "$image"; then exit 0; fi
    make_stand_in "$image"
  ) 9>"$work/lock/$(file_name "$image")"
}

pull() {
  timeout 900 docker pull --quiet "$1" >"$work/log/$(file_name "$1")" 2>&1
}

make_stand_in() {
  local image=$1 base=${base_of[$1]} recipe=$here/${recipe_of[$1]}
  local context log status=0 argument
  local -a arguments build_arguments=()
  log=$work/log/$(file_name "$image")
  context=$work/context/$(file_name "$image")
  read -ra arguments <<<"${arguments_of[$image]}"
  if [ -n "$base" ]; then
    provide_one "$base" || return 1
    arguments+=("BASE=$base")
  fi
  SECONDS=0

  rm -rf "$context"
  mkdir "$context"
  cp -r $here/apt-install "$recipe"/. "$context"
  if [ -x "$recipe/payload.sh" ]; then
    env "${arguments[@]}" "$recipe/payload.sh" "$context" >"$log" 2>&1 || status=$?
    if [ $status = 3 ]; then
      echo "  no $image: $(tail -n 1 "$log")" >&2
      return 0
    fi
  fi
  for argument in "${arguments[@]}"; do
    build_arguments+=(--build-arg "$argument")
  done
  if [ $status = 0 ] && "${buildx[@]}" build --progress=plain --load --tag "$image" \
    --label io.longshore.stand-in=true --label "io.longshore.stand-in.recipe=${hash_of[$image]}" \
    "${build_arguments[@]}" "$context" >>"$log" 2>&1; then
    echo "  made $image in $SECONDS s" >&2
    rm -rf "$context"
  else
    tail -n 25 "$log" >&2
    echo "error: failed to make a stand-in for $image; the whole log is in $log" >&2
    return 1
  fi
}

summarise() {
  local image
  local -i official=0 stand_ins=0
  local -a missing=()
  for image in "$@"; do
    case ${state_of[$image]:-} in
      official) official+=1 ;;
      current) stand_ins+=1 ;;
      *) missing+=("$image") ;;
    esac
  done
  echo "base images: $official official, $stand_ins stand-ins${missing:+, missing: ${missing[*]}}" >&2
}

file_name() {
  echo "${1//[\/:]/_}"
}

fail() {
  echo "error: $1" >&2
  exit 1
}

main "$@"
