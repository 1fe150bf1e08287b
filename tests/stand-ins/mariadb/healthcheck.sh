#!/usr/bin/env bash
# healthcheck.sh [--connect] [--innodb_initialized]: succeeds when the server takes connections. It takes none over TCP
# before its first database is complete, so both tests are this one.
exec mariadb-admin --protocol=tcp --host=127.0.0.1 --silent ping
