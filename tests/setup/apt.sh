# shellcheck shell=bash
# Debian packages, and those of PyPI, for the set-up scripts. To be sourced, with the repository's root as the working directory.

mkdir -p target/setup # for locks, logs and apt's own files

# Runs a command as root, through sudo where we are not root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "error: \`$*\` must run as root, and there is no \`sudo\` here" >&2
    return 1
  fi
}

# apt_install PACKAGE...: installs those that are missing, without a question.
apt_install() {
  local package
  local -a missing=()
  for package in "$@"; do
    [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "error: please install ${missing[*]}: there is no \`apt-get\` here" >&2
    return 1
  fi
  echo "installing ${missing[*]}" >&2
  {
    flock 9 &&
      as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --yes --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" 9>&-
  } >target/setup/apt.log 2>&1 9>target/setup/apt.lock || {
    tail -n 20 target/setup/apt.log >&2
    echo "error: failed to install ${missing[*]}; the whole log is in target/setup/apt.log" >&2
    return 1
  }
}

# pip_environment FOLDER REQUIREMENT...: makes a virtual environment with these packages of PyPI, unless it has them.
pip_environment() {
  local environment=$1
  shift
  [ "$(cat "$environment/requirements" 2>/dev/null)" != "$*" ] || return 0
  echo "installing $*" >&2
  rm -rf "$environment"
  if ! python3 -m venv "$environment" >/dev/null 2>&1; then
    apt_install python3-venv
    /usr/bin/python3 -m venv --clear "$environment"
  fi
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$@"
  echo "$*" >"$environment/requirements"
}

# apt_sources SUITE: the sources.list lines of another Debian suite, from the servers this machine uses for its own.
apt_sources() {
  local own uri release
  own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  while read -r uri release; do
    case $release in
      "$own" | "$own-updates" | "$own-security")
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $1${release#"$own"} main" ;;
    esac
  done < <(apt_targets) | grep . || {
    echo "error: this machine's apt sources name no Debian server to get $1 from" >&2
    return 1
  }
}

# The servers and suites of this machine's sources, a pair a line. apt knows them only after an update.
apt_targets() {
  # $(REPO_URI) and $(RELEASE) are apt's, not the shell's.
  # shellcheck disable=SC2016
  local list=(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages')
  [ -n "$("${list[@]}")" ] || as_root flock target/setup/apt.lock apt-get update -qq >&2
  "${list[@]}" | sort -u
}

# unpack_from SUITE PACKAGE: unpacks a package of another Debian suite, without those it depends on, into target/tools/
# and links its programs in target/tools/bin. The machine's own packages stay as they are.
unpack_from() {
  local suite=$1 package=$2
  local state=$PWD/target/setup/apt-$suite into=target/tools/$package
  local -a options=(
    -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o Dir::State="$state" -o Dir::State::Status="$state/status" -o Dir::Cache="$state/cache"
    -o APT::Sandbox::User="$(id -un)"
  )
  if ! command -v apt-get >/dev/null; then
    echo "error: please install \`$package\`: there is no \`apt-get\` here" >&2
    return 1
  fi
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$into" target/tools/bin
  {
    apt_sources "$suite" >"$state/sources.list" &&
      flock 9 &&
      touch "$state/status" &&
      apt-get "${options[@]}" update -qq &&
      (cd "$into" && apt-get "${options[@]}" download -qq "$package" && dpkg -x "$package"_*.deb . && rm "$package"_*.deb)
  } 9>target/setup/apt.lock || {
    echo "error: failed to unpack Debian $suite's \`$package\`" >&2
    return 1
  }
  find "$PWD/$into/usr/bin" "$PWD/$into/usr/libexec/docker/cli-plugins" -type f -executable \
    -exec ln -sf -t target/tools/bin {} + 2>/dev/null || true
}
