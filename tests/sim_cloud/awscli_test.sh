#!/bin/sh
# Debian's AWS CLI against the simulated cloud.
#
#   awscli_test.sh PATH_OF_sim_aws_for_test
set -eu
server=$1
work=$(mktemp -d)
mkfifo "$work/input"
"$server" adopted 30 <"$work/input" >"$work/output" 2>"$work/errors" &
server_pid=$!
exec 9>"$work/input"
cleanup() {
  exec 9>&-
  wait "$server_pid" || true
  rm -rf "$work"
}
trap cleanup EXIT

tries=0
until grep -q '^url=' "$work/output"; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { echo "the server did not start"; cat "$work/errors"; exit 1; }
  sleep 0.05
done
url=$(sed -n 's/^url=//p' "$work/output")

export AWS_ACCESS_KEY_ID=AKIAPARALLAXSIM00001 AWS_SECRET_ACCESS_KEY=parallax-simulated-secret
export AWS_DEFAULT_REGION=eu-west-3 AWS_MAX_ATTEMPTS=1 AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none"
aws() { /usr/bin/aws --endpoint-url "$url" --output text "$@"; }

expect() {
  [ "$2" = "$3" ] || { echo "FAILED: $1: expected '$2', got '$3'"; exit 1; }
  echo "ok: $1"
}

expect "account" 000000000000 "$(aws sts get-caller-identity --query Account)"
id=$(aws ec2 describe-instances --filters Name=tag:parallax:fleet,Values=NAVO --query 'Reservations[].Instances[].InstanceId')
expect "state" stopped "$(aws ec2 describe-instances --instance-ids "$id" --query 'Reservations[0].Instances[0].State.Name')"
expect "start" "stopped	pending" \
  "$(aws ec2 start-instances --instance-ids "$id" --query 'StartingInstances[0].[PreviousState.Name,CurrentState.Name]')"

tries=0
until [ "$(aws ec2 describe-instances --instance-ids "$id" --query 'Reservations[0].Instances[0].State.Name')" = running ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "FAILED: never running"; exit 1; }
done
echo "ok: running"

tries=0
until command_id=$(aws ssm send-command --instance-ids "$id" --document-name AWS-RunShellScript \
    --parameters commands='shutdown -P +60' --query Command.CommandId 2>"$work/refused"); do
  grep -q InvalidInstanceId "$work/refused" || { cat "$work/refused"; exit 1; }
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "FAILED: the agent never registered"; exit 1; }
done
echo "ok: send-command"

tries=0
while :; do
  code=$(aws ssm get-command-invocation --instance-id "$id" --command-id "$command_id" --query ResponseCode 2>/dev/null || echo none)
  [ "$code" != none ] && [ "$code" != -1 ] && break
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "FAILED: the command never ended"; exit 1; }
done
expect "a cloud that does not execute says so" 126 "$code"
expect "listed" "$command_id" "$(aws ssm list-commands --instance-id "$id" --query 'Commands[0].CommandId')"
expect "stop" stopping "$(aws ec2 stop-instances --instance-ids "$id" --query 'StoppingInstances[0].CurrentState.Name')"

aws ec2 terminate-instances --instance-ids "$id" >/dev/null
if aws ec2 start-instances --instance-ids "$id" 2>"$work/refused"; then
  echo "FAILED: a terminated instance was started"
  exit 1
fi
grep -q "(IncorrectInstanceState)" "$work/refused" || { cat "$work/refused"; exit 1; }
echo "ok: a terminated instance is not started"
AWS_SECRET_ACCESS_KEY=wrong aws ec2 describe-regions 2>"$work/refused" && exit 1
grep -q "(AuthFailure)" "$work/refused" || { cat "$work/refused"; exit 1; }
echo "ok: a wrong secret is refused"
