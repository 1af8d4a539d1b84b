#include "sim/cloud/containment.h"

#include <fmt/format.h>

namespace parallax::sim {

namespace {

// Rights by which a root could get past the covers, or reboot without them.
constexpr std::string_view kDroppedCapabilities =
    "-sys_boot,-sys_module,-sys_admin,-sys_rawio,-sys_ptrace,-sys_time,-mknod,-syslog";

constexpr std::string_view kPowerCommand = R"sh(#!/bin/sh
# Simulated instance @ID@: power commands reach the simulated machine and nothing else.
fifo='@FIFO@'
covered=@COVERED@
scheduled=/run/systemd/shutdown/scheduled
name=${0##*/}
line=$name
for word in "$@"; do line="$line $word"; done

tell() { printf '%s\n' "$line" > "$fifo"; }

minutes_of() {
  case "$1" in
    now) echo 0 ;;
    *[!0-9+:]*|'') return 1 ;;
    *:*) echo "$1" ;;
    +*[!0-9]*|+) return 1 ;;
    +*) echo "${1#+}" ;;
    *[!0-9]*) return 1 ;;
    *) echo "$1" ;;
  esac
}

shut_down() {
  when=
  for word in "$@"; do
    case "$word" in
      -c) tell; [ $covered = 0 ] || rm -f "$scheduled"; return 0 ;;
      --show) if [ -f "$scheduled" ]; then cat "$scheduled"; else echo "No scheduled shutdown."; fi; return 0 ;;
      -*) ;;
      *) if [ -z "$when" ]; then
           when=$(minutes_of "$word") || { echo "Failed to parse time specification: $word" >&2; return 1; }
         fi ;;
    esac
  done
  tell
  case "$when" in
    0) ;;
    *:*) echo "Shutdown scheduled for $when, use 'shutdown -c' to cancel." >&2 ;;
    *) if [ $covered = 1 ]; then
         mkdir -p "${scheduled%/*}"
         printf 'USEC=%s000000\nWARN_WALL=1\nMODE=poweroff\n' $(( $(date +%s) + ${when:-1} * 60 )) > "$scheduled"
       fi
       echo "Shutdown scheduled in ${when:-1} min, use 'shutdown -c' to cancel." >&2 ;;
  esac
}

case " $line " in
  *' --help '*) echo "parallax simulated instance @ID@: $name"; exit 0 ;;
  *' --version '*) echo "parallax simulated instance"; exit 0 ;;
esac
case "$name" in
  shutdown) shut_down "$@" ;;
  systemctl)
    case "$line" in
      *poweroff*|*halt*|*reboot*|*kexec*) tell ;;
      *) echo "This simulated instance has no systemd." >&2; exit 1 ;;
    esac ;;
  *) tell ;;
esac
)sh";

constexpr std::string_view kBoot = R"sh(#!/bin/sh
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
shims='@SHIMS@'
names='@NAMES@'

refuse() { echo "cannot keep this instance from the machine's own power switch: $1" >&2; exit 1; }

# The resolver's file may lie in what is covered below.
resolver=$(cat /etc/resolv.conf 2>/dev/null || true)

# One directory of programs: the simulated commands lie on top of it, or over each program that is there.
cover_programs() {
  mount -t overlay overlay -o "ro,lowerdir=$shims:$1" "$1" 2>/dev/null && return 0
  for name in $names; do
    if [ -e "$1/$name" ]; then
      mount --bind "$shims/$name" "$(readlink -f "$1/$name")" || refuse "$1/$name"
    fi
  done
}

done=' '
for directory in /usr/sbin /usr/bin /sbin /bin /usr/local/sbin /usr/local/bin /lib/systemd /usr/lib/systemd; do
  [ -d "$directory" ] || continue
  real=$(readlink -f "$directory")
  case "$done" in *" $real "*) continue ;; esac
  done="$done$real "
  found=no
  for name in $names; do [ ! -e "$real/$name" ] || found=yes; done
  case "$real" in /usr/sbin|/usr/bin|/sbin|/bin) found=yes ;; esac
  [ $found = no ] || cover_programs "$real"
done

for directory in /run/systemd /run/dbus /var/run/dbus; do
  if [ -d "$directory" ]; then
    mount -t tmpfs -o mode=755,size=1m tmpfs "$(readlink -f "$directory")" || refuse "$directory"
  fi
done
if [ -n "$resolver" ] && [ ! -e /etc/resolv.conf ]; then
  target=$(readlink -m /etc/resolv.conf)
  mkdir -p "${target%/*}"
  printf '%s\n' "$resolver" > "$target"
fi
for file in /run/initctl /dev/initctl /proc/sysrq-trigger /sys/power/state /dev/watchdog /dev/watchdog0 /dev/mem; do
  [ ! -e "$file" ] || mount --bind /dev/null "$file" || refuse "$file"
done
mount -t tmpfs -o mode=1777,size=256m tmpfs /dev/shm || refuse /dev/shm

# Believe nothing: look at what is there now.
for name in $names; do
  for directory in /usr/sbin /usr/bin /sbin /bin; do
    [ ! -e "$directory/$name" ] || cmp -s "$shims/$name" "$directory/$name" || refuse "$directory/$name"
  done
done
[ ! -e /run/systemd/private ] || refuse /run/systemd/private
[ ! -e /run/dbus/system_bus_socket ] || refuse /run/dbus/system_bus_socket

exec setpriv --bounding-set=@DROPPED@ --inh-caps=-all /bin/sh -c '
  echo ready
  exec >/dev/null 2>&1
  while :; do sleep 3600 & wait $!; done'
)sh";

std::string replaced(std::string_view text, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out(text);
  for (const auto& [name, value] : values) {
    for (std::size_t at = out.find(name); at != std::string::npos; at = out.find(name, at + value.size())) {
      out.replace(at, name.size(), value);
    }
  }
  return out;
}

}  // namespace

const std::vector<std::string> kPowerCommands = {"shutdown",  "poweroff", "halt", "reboot",
                                                 "systemctl", "telinit",  "init"};

std::string power_command_script(const std::string& instance_id, const std::string& fifo, bool covered) {
  return replaced(kPowerCommand, {{"@ID@", instance_id}, {"@FIFO@", fifo}, {"@COVERED@", covered ? "1" : "0"}});
}

std::string boot_script(const std::string& shims) {
  std::string names;
  for (const std::string& name : kPowerCommands) {
    names += (names.empty() ? "" : " ") + name;
  }
  return replaced(kBoot, {{"@SHIMS@", shims}, {"@NAMES@", names}, {"@DROPPED@", std::string(kDroppedCapabilities)}});
}

std::vector<std::string> boot_line(Containment containment, const std::string& boot_script) {
  std::vector<std::string> line = {"/usr/bin/unshare"};
  if (containment == Containment::user_namespaces) {
    line.insert(line.end(), {"--user", "--map-root-user"});
  }
  line.insert(line.end(), {"--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--propagation",
                           "private", "--", "/bin/sh", boot_script});
  return line;
}

std::vector<std::string> command_line(Containment containment, int boot_pid, const std::string& working_directory,
                                      const std::string& script) {
  std::vector<std::string> line;
  if (containment != Containment::shims) {
    const std::string spaces = fmt::format("/proc/{}/ns/", boot_pid);
    line = {"/usr/bin/nsenter"};
    if (containment == Containment::user_namespaces) {
      line.insert(line.end(), {"--user=" + spaces + "user", "--preserve-credentials"});
    }
    line.insert(line.end(), {"--mount=" + spaces + "mnt", "--pid=" + spaces + "pid_for_children", "--"});
    line.insert(line.end(),
                {"/usr/bin/setpriv", fmt::format("--bounding-set={}", kDroppedCapabilities), "--inh-caps=-all"});
  }
  line.insert(line.end(), {"/bin/sh", "-c", "cd \"$1\" && exec /bin/sh \"$2\"", "sh", working_directory, script});
  return line;
}

}  // namespace parallax::sim
