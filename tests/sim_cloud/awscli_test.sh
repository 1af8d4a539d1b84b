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

refused() {
  code=$1
  shift
  if aws "$@" >"$work/answer" 2>"$work/refused"; then
    echo "FAILED: $* was not refused"
    exit 1
  fi
  grep -q "($code)" "$work/refused" || { echo "FAILED: $*"; cat "$work/refused"; exit 1; }
  echo "ok: $code"
}

# A set-up by hand: key, group, machine, image, and all of it removed.
aws ec2 create-key-pair --key-name cli --key-type ed25519 --query KeyMaterial >/dev/null
aws ec2 describe-key-pairs --key-names cli --include-public-key --query 'KeyPairs[0].PublicKey' >"$work/key.pub"
aws ec2 import-key-pair --key-name cli2 --public-key-material "fileb://$work/key.pub" >/dev/null
expect "one key, one fingerprint" 1 \
  "$(aws ec2 describe-key-pairs --key-names cli cli2 --query 'KeyPairs[].[KeyFingerprint]' | sort -u | wc -l)"
group=$(aws ec2 create-security-group --group-name cli --description d --query GroupId)
aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 10.0.0.0/8 >/dev/null
refused InvalidPermission.Duplicate ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 \
  --cidr 10.0.0.0/8
image=$(aws ec2 describe-images --owners self --query 'Images[0].ImageId')
refused DryRunOperation ec2 run-instances --dry-run --image-id "$image" --instance-type t3.micro
refused InvalidKeyPair.NotFound ec2 run-instances --image-id "$image" --instance-type t3.micro --key-name none
machine=$(aws ec2 run-instances --image-id "$image" --instance-type t3.micro --key-name cli --security-group-ids "$group" \
  --user-data 'echo hello' --iam-instance-profile Name=parallax-NAVO \
  --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=cli}]' --query 'Instances[0].InstanceId')
aws ec2 wait instance-exists --instance-ids "$machine"
expect "tags" cli "$(aws ec2 describe-tags --filters "Name=resource-id,Values=$machine" --query 'Tags[0].Value')"
tries=0
until [ "$(aws ec2 describe-instances --instance-ids "$machine" --query 'Reservations[0].Instances[0].State.Name')" = running ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "FAILED: never running"; exit 1; }
done
made=$(aws ec2 create-image --instance-id "$machine" --name cli --no-reboot --query ImageId)
aws ec2 terminate-instances --instance-ids "$machine" >/dev/null
copied=$(aws --region us-east-1 ec2 copy-image --name cli --source-image-id "$image" --source-region eu-west-3 --query ImageId)
expect "a copy begins" pending "$(aws --region us-east-1 ec2 describe-images --image-ids "$copied" --query 'Images[0].State')"
aws --region us-east-1 ec2 deregister-image --image-id "$copied"
aws ec2 deregister-image --image-id "$made"
refused "InvalidAMIID\.[A-Za-z]*" ec2 describe-images --image-ids "$made"
aws ec2 delete-key-pair --key-name cli
aws ec2 delete-key-pair --key-name cli2
refused InvalidKeyPair.NotFound ec2 describe-key-pairs --key-names cli

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
    --parameters commands='["shutdown -P +60","echo hello"]' --query Command.CommandId 2>"$work/refused"); do
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
