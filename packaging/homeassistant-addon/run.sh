#!/bin/sh
# Starts the daemon as a user of its own. The Supervisor runs add-ons as root, whose are /data and the options.
set -eu
user=mobilenetd
state=/data/state
folder=/run/mobilenetd
node=/usr/lib/mobilenetd/node/bin/node
here=/usr/lib/mobilenetd-addon

umask 077
mkdir -p "$state" "$folder"
words=$("$node" "$here/prepare.mjs" "${OPTIONS:-/data/options.json}" "$folder" "${CONFIGS:-/config}")
chown -R "$user:$user" "$state" "$folder"

# Groups of the host own its video devices; their numbers are what counts.
groups=$(stat -c %g /dev/video* /dev/dri/render* 2>/dev/null | grep -vx 0 | sort -u | paste -sd, - || true)
# Words are lines without blanks but in file names of the user's, which are one each.
oldifs=$IFS
IFS='
'
# shellcheck disable=SC2086
set -- $words
IFS=$oldifs
export MOBILENETD_STATE="$state" HOME="$state"
unset SUPERVISOR_TOKEN HASSIO_TOKEN
if [ -n "$groups" ]; then groups=--groups=$groups; else groups=--clear-groups; fi
exec setpriv --reuid="$user" --regid="$user" "$groups" \
  --no-new-privs --inh-caps=-all --bounding-set=-all /usr/bin/mobilenetd run "$@"
