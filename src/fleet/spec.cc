#include "fleet/spec.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/hash.h"

namespace parallax::fleet {

namespace {

constexpr std::string_view kStockParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-";

// A cloud-boothook is run by cloud-init at every boot, not at the first alone, and early: before logind, which keeps
// the time of a planned shutdown. Without logind some versions of systemd power off at once instead. So on systemd a
// unit waits for logind; and the SSM agent waits for the unit, so that an order's own shutdown is always the later one
// and replaces ours. What is written lies in /run and is gone at the next boot.
constexpr std::string_view kBootScript = R"(#cloud-boothook
#!/bin/sh
# Parallax: powers this machine off {minutes} minutes after each boot, unless a later shutdown (an order's) replaces this
# one or somebody cancels it with: shutdown -c
PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"
export PATH
arm() {{
shutdown -P +{minutes}
}}
if [ -d /run/systemd/system ]; then
  cat > /run/systemd/system/parallax-boot-timer.service <<'END'
[Unit]
Description=Parallax boot timer
Wants=dbus.service systemd-logind.service
After=dbus.service systemd-logind.service
Before=amazon-ssm-agent.service snap.amazon-ssm-agent.amazon-ssm-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'exec shutdown -P +{minutes}'
END
  systemctl daemon-reload
  systemctl start --no-block parallax-boot-timer.service
else
  arm </dev/null >/dev/null 2>&1 &
fi
)";

std::int64_t minutes_of(Micros duration) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::minutes>(duration).count());
}

std::string name_in_iam(std::string_view prefix, std::string_view fleet) {
  constexpr std::size_t kLengthMax = 64;  // of a role's name
  constexpr std::size_t kDigits = 8;
  constexpr std::string_view kOthers = "_+=,.@-";
  std::string name(prefix);
  bool whole = prefix.size() + fleet.size() <= kLengthMax;
  for (const char c : fleet) {
    const bool taken = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kOthers.find(c) != std::string_view::npos;
    name += taken ? c : '-';
    whole = whole && taken;
  }
  return whole ? name
               : fmt::format("{}-{}", name.substr(0, kLengthMax - kDigits - 1), sha256_hex(fleet).substr(0, kDigits));
}

Json texts(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& text : list) {
    json.push(text);
  }
  return json;
}

}  // namespace

std::string_view architecture_of(std::string_view instance_type) {
  const std::string_view family = instance_type.substr(0, instance_type.find('.'));
  const std::size_t generation = family.find_first_of("0123456789");
  if (family.size() == instance_type.size() || generation == std::string_view::npos || generation == 0 ||
      family.starts_with("mac")) {
    return "";
  }
  return family == "a1" || family.find('g', generation) != std::string_view::npos ? "arm64" : "x86_64";
}

std::string ImageSpec::parameter(std::string_view architecture) const {
  if (kind != Kind::stock) {
    return "";
  }
  return name.starts_with('/') ? name : fmt::format("{}{}", kStockParameter, architecture);
}

std::string Spec::stock_parameter() const {
  const std::string_view architecture = instance_types.empty() ? "" : architecture_of(instance_types.front());
  return image.parameter(architecture.empty() ? "x86_64" : architecture);
}

std::string_view to_string(Deadman deadman) {
  return deadman == Deadman::guest ? "guest" : "guest+scheduler";
}

std::string our_profile(std::string_view fleet) {
  return name_in_iam("parallax-", fleet);
}

std::string scheduler_role(std::string_view fleet) {
  return name_in_iam("parallax.scheduler-", fleet);
}

Json to_json(const Spec& spec) {
  std::vector<std::string> regions = spec.regions;
  std::sort(regions.begin(), regions.end());
  Json json = Json::object({{"fleet", spec.fleet}, {"home", spec.home}, {"regions", texts(regions)}});
  json.set("instance_types", texts(spec.instance_types));
  json.set("instances_per_region", spec.instances_per_region);
  const bool copy = spec.image.kind == ImageSpec::Kind::copy;
  json.set("image",
           copy ? Json::object({{"copy", spec.image.name}}) : Json::object({{"stock", spec.stock_parameter()}}));
  json.set("security_group", Json::object({{"name", spec.group.name}, {"like_home", Json(spec.group.like_home)}}));
  if (spec.key) {
    json.set("key_pair", Json::object({{"name", spec.key->name}, {"digest", spec.key->digest}}));
  }
  json.set("instance_profile", Json::object({{"name", spec.profile.name}, {"ours", spec.profile.ours}}));
  json.set("deadman", to_string(spec.deadman));
  Json subnets = Json::object();
  for (const auto& [region, subnet] : spec.subnets) {
    subnets.set(region, subnet);
  }
  json.set("subnets", std::move(subnets));
  json.set("boot_timer", boot_timer_version(spec.boot_timer));
  return json;
}

std::string boot_user_data(Micros boot_timer) {
  return fmt::format(fmt::runtime(kBootScript), fmt::arg("minutes", minutes_of(boot_timer)));
}

std::string boot_timer_digest(Micros boot_timer) {
  return sha256_hex(boot_user_data(boot_timer));
}

std::string boot_timer_version(Micros boot_timer) {
  constexpr std::size_t kDigits = 8;
  return fmt::format("{}m-{}", minutes_of(boot_timer), sha256_hex(boot_user_data(boot_timer)).substr(0, kDigits));
}

std::string schedule_name(std::string_view instance_id) {
  return fmt::format("parallax-stop-{}", instance_id);
}

std::string schedule_expression() {
  return "cron(53 23 * * ? *)";
}

}  // namespace parallax::fleet
