#include "fleet/drain.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::fleet {

namespace {

constexpr Micros kJobTimeout{Seconds(300)};
constexpr std::string_view kMark = "parallax-spool ";

// "'...'" for a shell.
std::string shell_quote(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size() && value >= 0 ? std::optional(value) : std::nullopt;
}

DrainOutcome outcome_of(const VantageOutcome& vantage) {
  const Run& run = vantage.run;
  DrainOutcome outcome{run.region, run.vantage,         run.instance_id, parse_drain_output(run.log_tail),
                       run.cause,  vantage.left_running};
  if (outcome.problem.empty() && !outcome.left) {
    outcome.problem = "its job did not say what the spool holds";
  } else if (outcome.problem.empty() && !outcome.empty()) {
    outcome.problem = "not everything could be sent";
  }
  return outcome;
}

}  // namespace

std::string drain_script(const std::string& collector) {
  // The order is one line of JSON; a token has no quotes in it.
  const std::string send =
      collector.empty() ? std::string()
                        : fmt::format(
                              "token=$(sed -n 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/p' \"$PARALLAX_ORDER\")\n"
                              "[ -z \"$token\" ] || PARALLAX_TOKEN=\"$token\" parallax spool send --flush-wait 20s "
                              "--collector {} >&2\n",
                              shell_quote(collector));
  return fmt::format(
      "if [ -z \"$PARALLAX_SPOOL\" ] && [ ! -d /var/lib/parallax/spool ]; then echo '{0}0 0'; exit 0; fi\n"
      // The program may have come as a bundle, which is on no PATH: the one used last wrote the spool.
      "newest=$(ls -1t \"${{PARALLAX_BUNDLES:-/opt/parallax}}\"/*/MANIFEST 2>/dev/null | head -n 1)\n"
      "[ -z \"$newest\" ] || PATH=\"${{newest%/MANIFEST}}:$PATH\"\n"
      "command -v parallax >/dev/null || {{ echo 'there is a spool and no program to read it' >&2; exit 1; }}\n"
      "{1}"
      "list=$(parallax spool list) || exit 1\n"
      // "RUN  4 records, 4 wait, 0 rejected"
      "printf '%s\\n' \"$list\" | awk '{{ w += $4; r += $6 }} END {{ print \"{0}\" w + 0, r + 0 }}'\n",
      kMark, send);
}

std::optional<SpoolCount> parse_drain_output(std::string_view output) {
  std::optional<SpoolCount> count;
  for (const std::string_view line : split(output, '\n')) {
    if (!line.starts_with(kMark)) {
      continue;
    }
    const std::vector<std::string_view> words = split(trim(line.substr(kMark.size())), ' ');
    const std::optional<std::int64_t> waiting = words.size() == 2 ? number(words[0]) : std::nullopt;
    const std::optional<std::int64_t> rejected = words.size() == 2 ? number(words[1]) : std::nullopt;
    count = waiting && rejected ? std::optional(SpoolCount{*waiting, *rejected}) : std::nullopt;
  }
  return count;
}

std::vector<DrainOutcome> drain_spools(const FleetDeps& deps, RoundSpec round, const RunOptions& options,
                                       const std::vector<RegionVantages>& vantages, const RunObserver& observe,
                                       std::stop_token stop, std::stop_token hard_stop) {
  round.command = drain_script(round.collector);
  round.job_timeout = kJobTimeout;
  const RoundOutcome done = run_round(deps, round, options, vantages, observe, std::move(stop), std::move(hard_stop));
  std::vector<DrainOutcome> outcomes;
  for (const RegionOutcome& region : done.regions) {
    if (!region.problem.empty()) {
      outcomes.push_back({region.region, region.region, "", std::nullopt, region.problem, false});
    }
    for (const VantageOutcome& vantage : region.vantages) {
      outcomes.push_back(outcome_of(vantage));
    }
  }
  return outcomes;
}

}  // namespace parallax::fleet
