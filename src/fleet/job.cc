#include "fleet/job.h"

#include <algorithm>

#include <fmt/format.h>

namespace parallax::fleet {

namespace {

// How long one query of a turn is expected to take where the provider's rate does not say more.
constexpr Micros kQueryEstimate{Millis(400)};
constexpr Micros kTurnSlack{Millis(1500)};

// `quiet`: where the output is the user's, without what shutdown says of itself.
std::string timer_line(const RoundSpec& round, std::string_view quiet = "") {
  return fmt::format("shutdown -P +{}{} || {{ echo '{}' >&2; exit {}; }}\n", timer_minutes(round), quiet, kNoTimerText,
                     kNoTimerExitCode);
}

// The token goes into a file of its own: sh reads no JSON.
std::string bring_lines(const RoundSpec& round, const Order& order) {
  const std::string marker = "PARALLAX_TOKEN_" + order.run_id;
  return fmt::format("cat >\"$directory/token\" <<'{0}'\n{1}\n{0}\n{2}", marker, order.token,
                     delivery_lines(*round.bundle));
}

}  // namespace

std::int64_t timer_minutes(const RoundSpec& round) {
  return std::chrono::ceil<std::chrono::minutes>(round.keep_running ? round.job_timeout
                                                                    : round.job_timeout + round.margin)
      .count();
}

Micros turn_length(const RoundSpec& round, int vantages) {
  if (vantages < 2) {
    return Micros(0);
  }
  const auto cones = static_cast<std::int64_t>(round.cone_list.empty() ? static_cast<std::size_t>(round.cones.count)
                                                                       : round.cone_list.size());
  Micros longest{0};
  for (const Provider& provider : round.providers) {
    const auto services = std::count_if(round.services.begin(), round.services.end(),
                                        [&](const Service& service) { return service.provider == provider.name; });
    if (provider.simultaneous || services == 0) {
      continue;
    }
    const Micros gap(static_cast<std::int64_t>(1e6 / provider.queries_per_second));
    longest = std::max(longest, services * cones * std::max(gap, kQueryEstimate) + kTurnSlack);
  }
  return longest;
}

Result<Order> make_order(const RoundSpec& round, const Run& run, int position, int vantages, Instant round_start) {
  Order order;
  order.fleet = round.fleet;
  order.round_id = round.round_id;
  order.run_id = run.run_id;
  order.vantage = run.vantage;
  order.instance_id = run.instance_id;
  order.instance_type = run.instance_type;
  order.collector = round.collector;
  order.cones = round.cones;
  order.cone_list = round.cone_list;
  order.services = round.services;
  order.providers = round.providers;
  for (Provider& provider : order.providers) {
    // The limits hold over the whole fleet: who may ask at the same moment gets a share.
    if (provider.simultaneous) {
      provider.queries_per_second /= vantages;
      provider.parallel = std::max(1, provider.parallel / vantages);
      provider.async_jobs = std::max(1, provider.async_jobs / vantages);
    }
  }
  order.position = position;
  order.vantages = vantages;
  order.turn = turn_length(round, vantages);
  if (order.turn > Micros(0)) {
    order.begin_at = round_start + round.begin_after;
  }
  if (round.signing_key) {
    TokenPayload payload;
    payload.role = Role::vantage;
    payload.fleet = round.fleet;
    payload.vantage = run.vantage;
    payload.run_id = run.run_id;
    payload.not_before = round_start;
    // The order may arrive late in the round: start and agent have their own time-outs on top of the job's.
    payload.expiry = round_start + round.job_timeout + round.margin + std::chrono::minutes(15);
    order.token = TRY(sign_token(payload, *round.signing_key));
  }
  return order;
}

std::string job_script(const RoundSpec& round, const Order& order) {
  if (same_script(round)) {
    return fmt::format("#!/bin/sh\n# parallax run {}\n{}{}", order.round_id,
                       timer_line(round, round.keep_running ? "" : " 2>/dev/null"),
                       round.keep_running ? "" : round.command + "\n");
  }
  // The marker cannot occur in the order: JSON on one line holds no line that equals it.
  const std::string marker = "PARALLAX_ORDER_" + order.run_id;
  std::string job = round.command;
  if (job.empty()) {
    job = fmt::format("{}{} probe --order \"$PARALLAX_ORDER\" --output none",
                      round.bundle ? bring_lines(round, order) : "", round.bundle ? "\"$program\"" : "parallax");
  }
  return fmt::format(
      "#!/bin/sh\n"
      "# parallax run {0}\n"
      "{1}"
      "umask 077\n"
      "for place in /dev/shm /run \"${{TMPDIR:-/tmp}}\"; do [ -w \"$place\" ] && break; done\n"
      "directory=$(mktemp -d \"$place/parallax.XXXXXXXX\") || exit 98\n"
      "trap 'rm -rf \"$directory\"' EXIT\n"
      "PARALLAX_ORDER=\"$directory/order.json\"\n"
      "export PARALLAX_ORDER\n"
      "cat >\"$PARALLAX_ORDER\" <<'{2}'\n"
      "{3}\n"
      "{2}\n"
      "{4}\n",
      order.run_id, timer_line(round), marker, to_json(order).dump(), job);
}

bool same_script(const RoundSpec& round) {
  return round.keep_running || round.without_order;
}

std::string command_comment(const std::string& run_id) {
  return "parallax run " + run_id;
}

}  // namespace parallax::fleet
