#!/usr/bin/env bash
# payload.sh INTO: writes the server of PRODUCT with its HTTP module, from Maven Central, to INTO/home, and the sources of
# what starts it to INTO.
set -euo pipefail
. tests/setup/apt.sh
cache=$PWD/target/stand-ins/$PRODUCT-$VERSION

netty=transport-netty4-client
if [[ $VERSION == 8.* ]]; then netty=transport-netty4; fi
dependency() { # GROUP ARTIFACT VERSION
  echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"
}
# OpenSearch leaves two of its parts to those who embed it.
others=
if [ "$PRODUCT" = opensearch ]; then
  others=$(dependency org.apache.logging.log4j log4j-core "$LOG4J"; dependency org.opensearch opensearch-plugin-classloader "$VERSION")
fi
if [ ! -d "$cache" ]; then
  apt_install maven
  cat >"$1/pom.xml" <<POM
<project><modelVersion>4.0.0</modelVersion><groupId>stand-in</groupId><artifactId>search</artifactId><version>1</version>
<dependencies>
$(dependency "org.$PRODUCT" "$PRODUCT" "$VERSION")
$(dependency "org.$PRODUCT.plugin" "$netty" "$VERSION")
$others
</dependencies></project>
POM
  mvn --batch-mode --quiet --file "$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache"
fi
module=$1/home/modules/transport-netty4
mkdir -p "$module"
cp -r "$cache" "$1/home/lib"
mv "$1"/home/lib/{netty-,transport-netty4}*.jar "$module"

# Each has a name of its own for the class of its module.
case $PRODUCT-$VERSION in
  elasticsearch-8.*) class=org.elasticsearch.transport.netty4.Netty4Plugin ;;
  elasticsearch-7.*) class=org.elasticsearch.transport.Netty4Plugin ;;
  opensearch-*) class=org.opensearch.transport.Netty4Plugin ;;
esac
descriptor() { # NAME CLASS
  printf '%s=%s\n' name "$1" description "$1" version "$VERSION" "$PRODUCT.version" "$VERSION" java.version 11 classname "$2"
}
descriptor transport-netty4 "$class" >"$module/plugin-descriptor.properties"

if [[ $PRODUCT-$VERSION == elasticsearch-8.* ]]; then
  mkdir "$1/home/modules/rest-root"
  descriptor rest-root RestRoot >"$1/home/modules/rest-root/plugin-descriptor.properties"
else
  rm "$1/RestRoot.java"
  sed -i '/configureESLogging/d' "$1/SearchNode.java"
fi
sed -i "s/org\.elasticsearch/org.$PRODUCT/" "$1/SearchNode.java"
