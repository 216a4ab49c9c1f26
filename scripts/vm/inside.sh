#!/bin/sh
# Runs as root in the virtual machine once it is up: what the package does on a Debian for arm64.
# Its lines (ok, NOT ok, # for remarks, and `end CHECKS` as the last) go to a port of their own; what
# its commands say goes to the console. /mnt has package, model and configuration.
exec >/dev/console 2>&1
PORT=/dev/virtio-ports/results
GROUP=/sys/fs/cgroup/system.slice/mobilenetd.service
MESSAGES=/root/messages
TOPIC=mobilenetd/vm
MEMORY_MAX=629145600

checks=0
say() { printf '%s\n' "$*" >$PORT; }
check() { # TEXT CONDITION
  checks=$((checks + 1))
  if eval "$2"; then say "ok - $1"; else say "NOT ok - $1"; fi
}
wait_for() { # SECONDS CONDITION
  deadline=$(($(now) + $1))
  until eval "$2"; do
    [ "$(now)" -lt $deadline ] || return 1
    sleep 1
  done
}
now() { cut -d. -f1 /proc/uptime; }
show() { systemctl show -P "$1" mobilenetd; }
count() { grep -c "$1" $MESSAGES; }
last() { grep "^$TOPIC/$1 " $MESSAGES | tail -1 | cut -d' ' -f2-; }
journal() { journalctl -u mobilenetd -o cat; }
as_daemon() { runuser -u mobilenetd -- "$@"; }
# A counter of memory.events: high, oom_kill.
events() { sed -n "s/^$1 //p" $GROUP/memory.events; }

system() {
  check "an arm64 kernel: $(uname -srm)" '[ "$(uname -m)" = aarch64 ]'
  check "it is Debian's: $(uname -v)" 'dpkg -S "/boot/vmlinuz-$(uname -r)" | grep ^linux-image && uname -v | grep -q Debian'
  check "systemd is number 1 ($(systemctl --version | head -1))" '[ "$(cat /proc/1/comm)" = systemd ]'
  state=$(systemctl is-system-running --wait)
  check "the system is $state" '[ "$state" = running ]'
  # Video capture only: no tuners, no outputs.
  modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0
  wait_for 60 '[ -c /dev/video0 ]'
  name=$(cat /sys/class/video4linux/video0/name)
  check "/dev/video0 is $name" 'expr "$name" : vivid'
}

package() {
  apt-get install --yes /mnt/mobilenetd.deb
  check "apt installs $(dpkg-query -W -f '${Package} ${Version} ${Architecture}' mobilenetd)" \
    '[ "$(dpkg-query -W -f "\${Status} \${Architecture}" mobilenetd)" = "install ok installed arm64" ]'
  check "its dependencies are there: nodejs $(dpkg-query -W -f '${Version}' nodejs)" \
    'apt-get check && [ -z "$(dpkg --audit)" ]'
  check "the unit is enabled, and not yet started" \
    '[ "$(systemctl is-enabled mobilenetd)" = enabled ] && [ "$(show ActiveState)" = inactive ]'
  cat /mnt/config.yaml >/etc/mobilenetd/config.yaml
  cp -r /mnt/models /var/lib/mobilenetd/models
  chown -R mobilenetd: /var/lib/mobilenetd/models
  # Emulation is some fifty times slower than the processor: the 10 s of the unit can be too short.
  mkdir -p /run/systemd/system/mobilenetd.service.d
  printf '[Service]\nTimeoutStopSec=60\n' >/run/systemd/system/mobilenetd.service.d/slow.conf
  systemctl daemon-reload
}

doctor() {
  as_daemon mobilenetd doctor --json >/root/doctor
  status=$?
  check "doctor ends with $status" '[ $status -eq 0 ]'
  for subject in architecture onnxruntime 'camera front'; do
    check "doctor: $(grep "\"subject\":\"$subject\"" /root/doctor | cut -c1-200)" \
      'grep "\"subject\":\"$subject\",\"level\":\"ok\"" /root/doctor'
  done
}

start() {
  systemctl start mosquitto
  wait_for 60 'mosquitto_pub -t test -m test'
  mosquitto_sub -v -t 'mobilenetd/#' -T "$TOPIC/front/snapshot" >$MESSAGES &
  before=$(now)
  systemctl start mobilenetd
  check "start to READY takes $(($(now) - before)) s" \
    '[ "$(show ActiveState)/$(show SubState)" = active/running ]'
  main=$(show MainPID)
  check "the user mobilenetd runs it" '[ "$(stat -c %U /proc/$main)" = mobilenetd ]'
}

labels() {
  wait_for 900 '[ "$(count "/front/labels ")" -ge 10 ]'
  check "$(count '/front/labels ') messages with labels: $(last front/labels | cut -c1-200)" \
    '[ "$(count "/front/labels .*\"score\"")" -ge 10 ]'
  wait_for 300 'last front/label | grep -qv none'
  label=$(last front/label)
  check "the label is $label" '[ -n "$label" ] && [ "$label" != none ]'
  state=front/$(echo "$label" | tr ' ' '_')
  check "$TOPIC/$state is $(last "$state")" '[ "$(last "$state")" = ON ]'
  check "an event: $(last front/events | cut -c1-120)" 'last front/events | grep -q "\"label\""'
  wait_for 60 'show StatusText | grep -q "^1/300 · [0-9.]* fps · [a-z]"'
  check "its status: $(show StatusText)" 'show StatusText | grep -q "^1/300 · [0-9.]* fps · [a-z]"'
  check "mobilenetd status finds nothing amiss" 'as_daemon mobilenetd status'
  rows=$(as_daemon mobilenetd query --json --limit 0 | grep -c '"label"')
  check "$rows detections are in the database" '[ "$rows" -gt 0 ]'
}

frames() {
  ffmpeg=$(pgrep -P "$main" -x ffmpeg)
  check "a child of the daemon, ffmpeg, has /dev/video0 open" \
    'ls -l "/proc/$ffmpeg/fd" | grep -q "/dev/video0$"'
  mosquitto_sub -C 1 -W 300 -R -N -t "$TOPIC/front/snapshot" >/root/frame.jpg &
  listener=$!
  sleep 2
  mosquitto_pub -t $TOPIC/request/snapshot -m '{"transaction":"1"}'
  wait $listener
  # One pixel for each of the eight bars of the test picture, from its lower half, where no text is.
  bars=$(ffmpeg -v error -i /root/frame.jpg -vf 'crop=iw:ih/4:0:ih*5/8,scale=8:1:flags=area,format=rgb24' \
    -f rawvideo - | od -An -v -tu1 -w3 | awk '{ printf "%d%d%d ", ($1 > 96), ($2 > 96), ($3 > 96) }')
  check "its frames show the bars of vivid, as red, green and blue: $bars" \
    '[ "$bars" = "111 110 011 010 101 100 001 000 " ]'
}

# A process in the unit's group that takes all it can get: what a camera program with a leak does.
hungry_child() {
  check "systemctl says MemoryMax=$(show MemoryMax)" '[ "$(show MemoryMax)" = $MEMORY_MAX ]'
  check "and so does the kernel; $(($(cat $GROUP/memory.current) / 1000000)) MB are in use" \
    '[ "$(cat $GROUP/memory.max)" = $MEMORY_MAX ]'
  slowed=$(events high)
  killed=$(events oom_kill)
  sh -c "echo \$\$ >$GROUP/cgroup.procs; echo 200 >/proc/\$\$/oom_score_adj; exec tail /dev/zero" &
  hungry=$!
  wait_for 300 '[ "$(events high)" -gt "$slowed" ]'
  check "past MemoryHigh=$(show MemoryHigh) it is slowed down" '[ "$(events high)" -gt "$slowed" ]'
  # Else it would take minutes to reach the other limit.
  systemctl set-property --runtime mobilenetd MemoryHigh=infinity
  # Should the kernel leave it alone, this ends it, with another status.
  (sleep 600; kill -TERM $hungry) &
  guard=$!
  wait $hungry
  status=$?
  kill $guard
  check "at MemoryMax the kernel kills it: status $status, $(events oom_kill) killed" \
    '[ $status -eq 137 ] && [ "$(events oom_kill)" -gt "$killed" ]'
  kill_line=$(dmesg | grep 'Memory cgroup out of memory' | tail -1)
  check "the kernel's log: $kill_line" 'echo "$kill_line" | grep -q "(tail)"'
  check "the most that was ever in use is $(cat $GROUP/memory.peak)" \
    '[ "$(cat $GROUP/memory.peak)" -le $MEMORY_MAX ]'
  seen=$(count '/front/labels ')
  wait_for 300 '[ "$(count "/front/labels ")" -ge $((seen + 3)) ]'
  check "the daemon runs on and labels frames" \
    '[ "$(show MainPID)/$(show NRestarts)" = "$main/0" ] && [ "$(count "/front/labels ")" -ge $((seen + 3)) ]'
}

# The daemon itself takes too much: what it has is too much for a moment.
greedy_daemon() {
  echo 40M >$GROUP/memory.max
  echo $MEMORY_MAX >$GROUP/memory.max
  wait_for 60 'dmesg | grep -q "Killed process $main "'
  check "the kernel's log: $(dmesg | grep "Killed process $main ")" 'dmesg | grep -q "out of memory: Killed process $main "'
  wait_for 900 '[ "$(show MainPID)" != "$main" ] && [ "$(show ActiveState)/$(show SubState)" = active/running ]'
  check "its will says $(grep -m1 -o "^$TOPIC/state offline" $MESSAGES)" 'grep -q "^$TOPIC/state offline" $MESSAGES'
  check "systemd's log: $(journal | grep 'OOM killer' | tail -1)" 'journal | grep -q "killed by the OOM killer"'
  check "systemd starts it again: $(show NRestarts), READY, with its own limit" \
    '[ "$(show NRestarts)/$(show ActiveState)" = 1/active ] && [ "$(cat $GROUP/memory.max)" = $MEMORY_MAX ]'
  wait_for 60 '[ "$(last state)" = online ]'
  check "it is $(last state) again" '[ "$(last state)" = online ]'
}

stop() {
  before=$(now)
  systemctl stop mobilenetd
  check "a stop takes $(($(now) - before)) s and ends with $(show ExecMainStatus), $(show Result)" \
    '[ "$(show ActiveState)/$(show Result)/$(show ExecMainStatus)" = inactive/success/0 ]'
  check "no process is left" '! pgrep -u mobilenetd'
  wait_for 30 '[ "$(last state)" = offline ]'
  check "it says good-bye: $(last state)" '[ "$(last state)" = offline ]'
}

wait_for 60 '[ -c $PORT ]'
say "# up after $(now) s"
for part in system package doctor start labels frames hungry_child greedy_daemon stop; do
  $part
  say "# $part: done $(now) s after the start of the machine"
done
journalctl --no-pager -u mobilenetd -o short-monotonic >/dev/console
say "end $checks"
systemctl poweroff --force
