#!/usr/bin/env bash
# Creates the database that MARIADB_* or MYSQL_* ask for, once, then becomes the server.
set -eo pipefail

main() {
  [ "${1#-}" = "$1" ] || set -- mariadbd "$@"
  case $1 in
    mariadbd | mysqld) ;;
    *) exec "$@" ;;
  esac

  if [ "$(id -u)" = 0 ]; then
    chown -R mysql: /run/mysqld /var/lib/mysql
    exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
  fi
  [ -d /var/lib/mysql/mysql ] || create_database

  # An option of MySQL 8 that many compose files carry and MariaDB does not know.
  local argument
  local -a arguments=()
  for argument in "${@:2}"; do
    case $argument in
      --default-authentication-plugin=*) ;;
      *) arguments+=("$argument") ;;
    esac
  done
  exec mariadbd "${arguments[@]}"
}

create_database() {
  local root_password database user script
  root_password=$(setting ROOT_PASSWORD)
  database=$(setting DATABASE)
  user=$(setting USER)
  if [ -z "$root_password$(setting ALLOW_EMPTY_ROOT_PASSWORD)$(setting ALLOW_EMPTY_PASSWORD)$(setting RANDOM_ROOT_PASSWORD)" ]; then
    echo 'error: Database is uninitialized and password option is not specified' >&2
    exit 1
  fi

  mariadb-install-db --auth-root-authentication-method=normal --skip-test-db >/dev/null
  {
    echo 'FLUSH PRIVILEGES;'
    # As the official images do: else these, without a password, come before root@'%'.
    echo "DROP USER IF EXISTS root@'127.0.0.1', root@'::1', root@'$(hostname)';"
    echo "CREATE USER root@'%' IDENTIFIED BY $(quoted "$root_password");"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    if [ -n "$database" ]; then
      echo "CREATE DATABASE IF NOT EXISTS \`$database\`;"
    fi
    if [ -n "$user" ]; then
      echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$(setting PASSWORD)");"
      if [ -n "$database" ]; then
        echo "GRANT ALL ON \`${database//_/\\_}\`.* TO $(quoted "$user")@'%';"
      fi
    fi
    for script in /docker-entrypoint-initdb.d/*.sql{,.gz}; do
      [ -f "$script" ] || continue
      if [ -n "$database" ]; then
        echo "USE \`$database\`;"
      fi
      zcat --force "$script"
      echo
    done
    echo "ALTER USER root@localhost IDENTIFIED BY $(quoted "$root_password");"
  } | while_serving
  echo 'MariaDB init process done. Ready for start up.'
}

# Runs the SQL on stdin in a server that only this script can reach.
while_serving() {
  local socket=/run/mysqld/init.sock server
  mariadbd --skip-networking --socket=$socket &
  server=$!
  until mariadb-admin --socket=$socket --user=root --silent ping; do
    kill -0 $server
    sleep 0.1
  done
  mariadb --socket=$socket --user=root
  kill $server
  wait $server
}

# setting NAME: the value of MARIADB_NAME or MYSQL_NAME, or the contents of the file that the same with _FILE names.
setting() {
  local name
  for name in "MARIADB_$1" "MYSQL_$1"; do
    local file=${name}_FILE
    if [ -n "${!file}" ]; then cat "${!file}"; return; fi
    if [ -n "${!name}" ]; then echo "${!name}"; return; fi
  done
}

# quoted TEXT: TEXT as an SQL string.
quoted() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\\\'}"
}

main "$@"
