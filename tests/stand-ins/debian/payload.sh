#!/usr/bin/env bash
# payload.sh INTO: writes a minimal Debian SUITE to INTO/rootfs.tar, and the certificates that this machine trusts beyond
# Mozilla's, such as those of a company's TLS proxy, to INTO/certificates.
set -euo pipefail
. tests/setup/apt.sh
into=$1
: "${SUITE:?}"

bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
mkdir "$into/certificates"
find /usr/share/ca-certificates -name '*.crt' -exec cat {} + | awk -v folder="$into/certificates" -v bundle="$bundle" '
  /BEGIN CERTIFICATE/ { inside = 1; text = key = "" }
  inside              { text = text $0 "\n"; key = key $1 }
  /END CERTIFICATE/   { inside = 0
                        if (FILENAME != bundle) known[key]
                        else if (!(key in known)) {
                          printf "%s", text >(folder "/machine-" ++count ".crt")
                          printf "%s", text >(folder "/machine.pem")
                        } }
' - "$bundle"
touch "$into/certificates/machine.pem"

# Files that the official slim images leave out. Some packages fail to install without /usr/share/man/man1:
# that is so on the official images too.
leave_out=()
for folder in doc info linda lintian locale man; do
  leave_out+=(--dpkgopt="path-exclude=/usr/share/$folder/*")
done
leave_out+=(--dpkgopt='path-include=/usr/share/doc/*/copyright')

# Where this machine does not check the age of package lists, its containers need not either.
checks=()
while read -r option; do
  checks+=(--aptopt="$option")
done < <(apt-config dump | grep '^Acquire::Check-.*"false"')

apt_install mmdebstrap
apt_sources "$SUITE" >"$into/sources.list"
# The hook gives bookworm the merged /usr of the official image; without it Debian does so with all of perl.
as_root mmdebstrap --variant=minbase --format=tar \
  --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr \
  --aptopt='Acquire::Languages "none"' "${checks[@]}" \
  --dpkgopt='force-unsafe-io' "${leave_out[@]}" \
  "$SUITE" "$into/rootfs.tar" "$into/sources.list"
