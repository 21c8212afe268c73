#!/bin/sh
# Installs the Debian packages that the cross-client tests use: kcat always, and a JDK, Maven and Go where the machine has
# none. Does nothing when all are there. Runs as root or with sudo.
set -eu

packages=''
need() { # command package
  command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
need kcat kcat
need javac default-jdk-headless
need mvn maven
need go golang-go
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "ci-setup: this is not Debian; install by hand:$packages" >&2
  exit 1
fi
as_root=''
[ "$(id -u)" = 0 ] || as_root=sudo
install() {
  $as_root apt-get -qq update &&
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $packages
}
if ! output=$(install 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
echo "ci-setup: installed$packages"
