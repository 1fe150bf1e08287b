#!/bin/sh
# Reads /docker-entrypoint.d/*.envsh, fills in the templates, runs /docker-entrypoint.d/*.sh, then becomes the server: as the official entry point does.
set -e
for settings in /docker-entrypoint.d/*.envsh; do
  [ ! -x "$settings" ] || . "$settings"
done
if [ -w /etc/nginx/conf.d ]; then
  for template in /etc/nginx/templates/*.template; do
    [ -f "$template" ] || continue
    perl -pe 's/\$\{(\w+)\}/exists $ENV{$1} ? $ENV{$1} : $&/ge' "$template" \
      >"/etc/nginx/conf.d/$(basename "$template" .template)"
  done
fi
for script in /docker-entrypoint.d/*.sh; do
  [ ! -x "$script" ] || "$script"
done
exec "$@"
