#!/usr/bin/env bash
# Makes the tree that LDAP_ROOT names with its administrator, or loads /ldifs, once; then becomes the server.
set -euo pipefail
root=${LDAP_ROOT:-dc=example,dc=org}
admin=${LDAP_ADMIN_USERNAME:-admin}
data=/bitnami/openldap/data
configuration=/bitnami/openldap/slapd.conf

if [ ! -d $data ]; then
  mkdir $data
  cat >$configuration <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile /bitnami/openldap/slapd.pid
database mdb
suffix "$root"
directory $data
rootdn "cn=$admin,$root"
rootpw $(slappasswd -s "${LDAP_ADMIN_PASSWORD:-adminpassword}")
CONF
  if [ -n "$(ls /ldifs)" ]; then
    cat /ldifs/* | slapadd -f $configuration
  else
    label=${root%%,*}
    printf 'dn: %s\nobjectClass: dcObject\nobjectClass: organization\ndc: %s\no: %s\n' "$root" "${label#dc=}" "${label#dc=}" |
      slapadd -f $configuration
  fi
fi
exec /usr/sbin/slapd -h "ldap://0.0.0.0:${LDAP_PORT_NUMBER:-1389}" -f $configuration -d stats
