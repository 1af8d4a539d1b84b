# The program: an installed one of this build, else from the collector into $home/$build.
home=${PARALLAX_BUNDLES:-/opt/parallax}
give_up() { code=$1; shift; echo "parallax: no program: $*" >&2; exit "$code"; }
is_build() { case $("$1" version 2>/dev/null) in *"($build)") return 0 ;; esac; return 1; }
free_kb() { df -Pk "$home" 2>/dev/null | { read -r _; read -r _ _ _ free _; echo "${free:-$needed_kb}"; }; }
room_or() {  # a failure is for lack of room where there is none left, else what its arguments say
  [ "$(free_kb)" -ge 1024 ] || give_up 94 "no room: the disk of $home is full"
  give_up "$@"
}
fetch() {  # with the token in a file: arguments can be read by everybody on a machine
  read -r token <"$directory/token"
  if command -v curl >/dev/null 2>&1; then
    printf 'header = "Authorization: Bearer %s"\n' "$token" >"$directory/fetch"
    [ -z "${PARALLAX_CA_FILE:-}" ] || printf 'cacert = "%s"\n' "$PARALLAX_CA_FILE" >>"$directory/fetch"
    curl -q --config "$directory/fetch" --fail --silent --show-error --connect-timeout 20 --speed-time 30 \
      --speed-limit 1000 --retry 5 --retry-max-time 300 --max-filesize "$bytes" --output "$work/archive" "$url"
  elif wget --version 2>/dev/null | grep -q 'GNU Wget'; then
    printf 'header = Authorization: Bearer %s\n' "$token" >"$directory/fetch"
    [ -z "${PARALLAX_CA_FILE:-}" ] || printf 'ca_certificate = %s\n' "$PARALLAX_CA_FILE" >>"$directory/fetch"
    WGETRC="$directory/fetch" wget --no-verbose --tries=5 --timeout=30 --output-document="$work/archive" "$url"
  elif command -v python3 >/dev/null 2>&1; then
    python3 - "$url" "$directory/token" "$work/archive" "$bytes" <<'PARALLAX_FETCH'
import os, ssl, sys, time, urllib.error, urllib.request
url, token, target, limit = sys.argv[1:4] + [int(sys.argv[4])]
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + open(token).read().strip()})
context = ssl.create_default_context(cafile=os.environ.get("PARALLAX_CA_FILE") or None)
for attempt in range(5):
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer, open(target, "wb") as out:
            out.write(answer.read(limit + 1))
        break
    except urllib.error.HTTPError as error:
        if error.code != 503 or attempt == 4:
            sys.exit(str(error))
    except OSError as error:
        if attempt == 4:
            sys.exit(str(error))
    time.sleep(2 ** attempt)
PARALLAX_FETCH
  else
    give_up 91 "this machine has neither curl nor GNU wget nor python3 to fetch it with"
  fi
}
sum_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sum=$(sha256sum "$1") && echo "${sum%% *}"
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
  else
    give_up 91 "this machine has neither sha256sum nor python3 to check it with"
  fi
}
unpack() {
  if command -v tar >/dev/null 2>&1 && command -v gzip >/dev/null 2>&1; then
    tar -xzf "$work/archive" -C "$work"
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$work/archive" "$work"
  else
    give_up 91 "this machine has neither tar and gzip nor python3 to unpack it with"
  fi
}
bring() (
  umask 022
  mkdir -p "$home" 2>/dev/null && [ -w "$home" ] || give_up 94 "$home cannot be written"
  if command -v flock >/dev/null 2>&1; then  # two orders at once: the second one finds what the first one brought
    exec 9>"$home/.lock"
    flock -w 600 9 && rm -rf "$home"/.new.*
    ! is_build "$home/$build/parallax" || exit 0
  fi
  broken=  # one that no longer runs
  [ ! -e "$home/$build" ] || broken=yes
  free=$(free_kb)
  [ "$free" -ge "$needed_kb" ] || give_up 94 "no room: $free kB free in $home, $needed_kb needed"
  work=$(mktemp -d "$home/.new.XXXXXXXX") || give_up 94 "$home cannot be written"
  trap 'rm -rf "$work"' EXIT
  (fetch) 2>"$directory/said" || {
    code=$?
    [ "$code" != 91 ] || { cat "$directory/said" >&2; exit 91; }
    room_or 92 "$url could not be fetched: $(tail -n 1 "$directory/said")"
  }
  sum=$(sum_of "$work/archive") || exit $?
  [ "$sum" = "$sha256" ] || give_up 93 "what $url gave has the SHA-256 $sum, not $sha256; nothing of it was run"
  (unpack) 2>"$directory/said" || {
    code=$?
    [ "$code" != 91 ] || { cat "$directory/said" >&2; exit 91; }
    room_or 95 "it cannot be unpacked: $(tail -n 1 "$directory/said")"
  }
  is_build "$work/parallax-$build/parallax" ||
    give_up 95 "it does not run here: $("$work/parallax-$build/parallax" version 2>&1 | tail -n 1)"
  # Without flock another order may have brought it meanwhile: what runs is never moved away under its feet.
  if ! is_build "$home/$build/parallax"; then
    [ -z "$broken" ] || mv "$home/$build" "$work/old" 2>/dev/null
    mv -T "$work/parallax-$build" "$home/$build" 2>"$directory/said" || is_build "$home/$build/parallax" ||
      room_or 94 "$home cannot be written"
  fi
  echo "parallax: build $build fetched into $home" >&2
)
if is_build parallax; then
  program=parallax
else
  program=$home/$build/parallax
  is_build "$program" || bring || exit $?
  touch -c "$home/$build/MANIFEST" 2>/dev/null
  # Only what is a bundle counts and goes: the two used last are kept.
  ls -1t "$home"/*/MANIFEST 2>/dev/null | tail -n +3 | while read -r old; do rm -rf "${old%/MANIFEST}"; done
fi
