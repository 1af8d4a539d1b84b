#include "tests/scenario/options.h"

#include <array>
#include <functional>

#include <fmt/format.h>

#include "base/rng.h"
#include "sim/world/trace.h"

namespace parallax::scenario {

namespace {

// Each option has a random stream of its own: a new option does not change what others draw.
class Dice {
 public:
  Dice(std::uint64_t seed, std::string_view name) : rng_(seed * 0x9E3779B97F4A7C15U ^ sim::hash_text(name)) {}

  bool chance(double p) { return rng_.chance(p); }

  // Zero mostly; else up to `most`.
  double sometimes(double p, double most) {
    const bool on = rng_.chance(p);
    const double value = rng_.unit() * most;
    return on ? value : 0;
  }

  int between(int first, int last) {
    return first + static_cast<int>(rng_.below(static_cast<std::uint64_t>(last - first) + 1));
  }

  std::uint64_t below(std::uint64_t bound) { return rng_.below(bound); }

  Micros seconds(int first, int last) { return Seconds(between(first, last)); }

 private:
  Xoshiro rng_;
};

sim::RegionFaults draw_cloud(std::uint64_t seed) {
  const auto dice = [&](std::string_view name) { return Dice(seed, name); };
  sim::RegionFaults faults;
  faults.throttle = dice("throttle").sometimes(0.4, 0.3);
  faults.server_error = dice("server error").sometimes(0.3, 0.2);
  faults.bare_server_error = dice("bare server error").sometimes(0.3, 0.1);
  faults.answer_lost = dice("answer lost").sometimes(0.4, 0.15);
  faults.request_lost = dice("request lost").sometimes(0.3, 0.15);
  faults.slow = dice("slow").sometimes(0.3, 0.2);
  faults.stale_read = dice("stale read").sometimes(0.4, 0.5);
  faults.capacity = dice("capacity").sometimes(0.1, 0.5);
  faults.start_fails = dice("start fails").sometimes(0.15, 0.5);
  faults.agent_never = dice("agent never").sometimes(0.15, 0.5);
  faults.agent_late = dice("agent late").sometimes(0.2, 0.8);
  faults.instance_dies = dice("instance dies").sometimes(0.2, 0.5);
  return faults;
}

sim::NetworkFaults draw_network(std::uint64_t seed, const std::string& name, double most) {
  sim::NetworkFaults faults;
  faults.connect_refused = Dice(seed, name + " refused").sometimes(0.3, most);
  faults.request_lost = Dice(seed, name + " request lost").sometimes(0.3, most);
  faults.answer_lost = Dice(seed, name + " answer lost").sometimes(0.4, most);
  faults.server_error = Dice(seed, name + " server error").sometimes(0.3, most);
  faults.body_cut = Dice(seed, name + " body cut").sometimes(0.3, most);
  faults.slow = Dice(seed, name + " slow").sometimes(0.3, most);
  return faults;
}

// What set-up meets: how much is to be made, and what somebody does meanwhile.
void draw_set_up(ScenarioOptions& o) {
  const auto dice = [&](std::string_view name) { return Dice(o.seed, name); };
  o.set_up = true;
  // One machine a region: a second one changes the name of the first, and the collector refuses what that one still
  // held under its old name (docs/internals/simulation.md).
  o.machines = 1;
  o.copy_image = dice("copy image").chance(0.5);
  o.with_key = dice("key").chance(0.5);
  o.like_home = dice("like home").chance(0.4);
  o.own_profile = dice("own profile").chance(0.5);
  o.scheduler = dice("scheduler").chance(0.3);
  o.cloud.copy_fails = dice("copy fails").sometimes(0.2, 0.6);
  o.cloud.new_id_unknown = dice("new id unknown").sometimes(0.3, 0.5);
  o.cloud.tags_lag = dice("tags lag").sometimes(0.2, 0.5);
  for (int round = 0; round < o.rounds; ++round) {
    Dice change(o.seed, "change " + std::to_string(round));
    PlanChange& next = o.changes.emplace_back();
    next.round = round;
    next.regions = change.chance(0.5) ? change.between(1, o.regions) : 0;
    next.clear_removed = change.chance(0.5);
    const int count = change.chance(0.6) ? change.between(1, 3) : 0;
    for (int i = 0; i < count && round > 0; ++i) {
      next.by_hand.emplace_back(static_cast<Drift>(change.between(0, kDriftKinds - 1)),
                                change.between(0, o.regions - 1));
    }
  }
  if (dice("change death").chance(0.5)) {
    o.death_change = dice("change death round").between(0, o.rounds - 1);
    o.death_point = dice("change death point").below(dice("change death span").below(900) + 1) + 1;
    o.fate = dice("fate").chance(0.7) ? ControllerFate::restarted : ControllerFate::gone_for_good;
    o.restart_after = dice("restart").seconds(1, 900);
  }
  o.second_set_up = dice("second set-up").chance(0.2);
  o.set_up_while_run = dice("set-up while run").chance(0.2);
  if (o.second_set_up || o.set_up_while_run) {
    // The gap that docs/internals/simulation.md tells of: each finds room in another zone at the same moment.
    o.cloud.capacity = 0;
  }
}

// What lasts for a while, or until somebody mends it.
void draw_outages(ScenarioOptions& o) {
  const auto dice = [&](std::string_view name) { return Dice(o.seed, name); };
  if (dice("credentials").chance(0.2)) {
    o.credentials_last = dice("credentials last").seconds(900, 3600);
    o.credentials_renewable = dice("credentials renewable").chance(0.5);
  }
  if (dice("withdrawal").chance(0.15)) {
    static const std::vector<std::string> kActions = {"ec2:RunInstances",
                                                      "ec2:StartInstances",
                                                      "ec2:StopInstances",
                                                      "ec2:CreateTags",
                                                      "ec2:DescribeInstances",
                                                      "ec2:CopyImage",
                                                      "ec2:TerminateInstances",
                                                      "ssm:SendCommand",
                                                      "ssm:GetCommandInvocation",
                                                      "iam:PassRole",
                                                      "ec2:CreateSecurityGroup",
                                                      "ec2:*",
                                                      "ssm:*",
                                                      "ec2:ImportKeyPair",
                                                      "iam:CreateRole",
                                                      "ec2:Describe*"};
    Withdrawal& withdrawal = o.withdrawn.emplace();
    withdrawal.after = dice("withdrawal after").seconds(0, 1800);
    withdrawal.lasts = dice("withdrawal lasts").seconds(30, 3600);
    const int count = dice("withdrawal count").between(1, 2);
    for (int i = 0; i < count; ++i) {
      Dice which(o.seed, "withdrawal " + std::to_string(i));
      withdrawal.actions.push_back(kActions[which.below(kActions.size())]);
    }
  }
  if (dice("absence").chance(0.15)) {
    Absence& absence = o.absence.emplace();
    absence.region = dice("absence region").between(0, o.regions - 1);
    absence.service = dice("absence service").chance(0.6) ? "ec2" : "ssm";
    absence.after = dice("absence after").seconds(0, 1800);
  }
  if (dice("quota").chance(0.1)) {
    o.vcpu_limit = dice("quota vcpus").between(0, 3);
  }
}

void line(std::string& text, std::string_view name, double value) {
  if (value != 0) {
    text += fmt::format("  {} {:.3g}\n", name, value);
  }
}

void describe_network(std::string& text, const std::string& name, const sim::NetworkFaults& faults) {
  line(text, name + " connect_refused", faults.connect_refused);
  line(text, name + " request_lost", faults.request_lost);
  line(text, name + " answer_lost", faults.answer_lost);
  line(text, name + " server_error", faults.server_error);
  line(text, name + " body_cut", faults.body_cut);
  line(text, name + " slow", faults.slow);
}

void describe_cloud(std::string& text, const sim::RegionFaults& faults) {
  line(text, "cloud throttle", faults.throttle);
  line(text, "cloud server_error", faults.server_error);
  line(text, "cloud bare_server_error", faults.bare_server_error);
  line(text, "cloud answer_lost", faults.answer_lost);
  line(text, "cloud request_lost", faults.request_lost);
  line(text, "cloud slow", faults.slow);
  line(text, "cloud stale_read", faults.stale_read);
  line(text, "cloud capacity", faults.capacity);
  line(text, "cloud start_fails", faults.start_fails);
  line(text, "cloud agent_never", faults.agent_never);
  line(text, "cloud agent_late", faults.agent_late);
  line(text, "cloud instance_dies", faults.instance_dies);
}

std::string describe_set_up(const ScenarioOptions& o) {
  std::string text;
  if (o.set_up) {
    text += fmt::format("  set up: {} machines a region, {}{}{}{}{}\n", o.machines,
                        o.copy_image ? "home's image" : "stock image", o.with_key ? ", key pair" : "",
                        o.like_home ? ", home's rules" : "", o.own_profile ? ", role and profile" : "",
                        o.scheduler ? ", scheduler" : "");
  }
  line(text, "cloud copy_fails", o.cloud.copy_fails);
  line(text, "cloud new_id_unknown", o.cloud.new_id_unknown);
  line(text, "cloud tags_lag", o.cloud.tags_lag);
  for (const PlanChange& change : o.changes) {
    text +=
        fmt::format("  before round {}: {} regions{}", change.round, change.regions == 0 ? o.regions : change.regions,
                    change.clear_removed ? ", the others cleared" : "");
    for (const auto& [drift, region] : change.by_hand) {
      text += fmt::format(", {} in region {}", to_string(drift), region);
    }
    text += "\n";
  }
  if (o.death_change) {
    text += fmt::format("  controller killed in set-up {} at point {}, {}\n", *o.death_change, o.death_point,
                        o.fate == ControllerFate::gone_for_good ? "for good" : "started again");
  }
  text += o.second_set_up ? "  two set-ups at once\n" : "";
  text += o.set_up_while_run ? "  a set-up during each round\n" : "";
  if (o.credentials_last > Micros(0)) {
    text += fmt::format("  credentials last {} s{}\n", count_seconds(o.credentials_last),
                        o.credentials_renewable ? "" : " and are not renewed");
  }
  if (o.withdrawn) {
    text += fmt::format("  after {} s, for {} s, nobody may", count_seconds(o.withdrawn->after),
                        count_seconds(o.withdrawn->lasts));
    for (const std::string& action : o.withdrawn->actions) {
      text += " " + action;
    }
    text += "\n";
  }
  if (o.absence) {
    text += fmt::format("  {} of region {} away after {} s\n", o.absence->service, o.absence->region,
                        count_seconds(o.absence->after));
  }
  line(text, "vCPU limit", o.vcpu_limit ? *o.vcpu_limit + 1e-9 : 0);
  return text;
}

}  // namespace

ScenarioOptions draw_options(std::uint64_t seed) {
  const auto dice = [&](std::string_view name) { return Dice(seed, name); };
  ScenarioOptions o;
  o.seed = seed;
  o.regions = dice("regions").between(1, 2);
  o.rounds = dice("rounds").between(1, 2);
  o.cloud = draw_cloud(seed);
  o.services = draw_network(seed, "service", 0.2);
  o.collector = draw_network(seed, "collector", 0.4);
  o.vantage_disk.append_fails = dice("append fails").sometimes(0.2, 0.1);
  o.vantage_disk.append_torn = dice("append torn").sometimes(0.2, 0.1);
  o.vantage_disk.write_fails = dice("write fails").sometimes(0.2, 0.1);
  o.controller_disk.append_torn = dice("controller disk").sometimes(0.2, 0.5);
  o.store_fails = dice("store").sometimes(0.3, 0.4);
  o.job_hangs = dice("job hangs").sometimes(0.2, 0.4);
  o.controller_clock_error = dice("clock").chance(0.3) ? dice("clock error").seconds(-120, 120) : Micros(0);
  if (dice("death").chance(0.5)) {
    o.death_round = dice("death round").between(0, o.rounds - 1);
    // Most points lie in the long polling; the square brings the early ones to the front.
    const std::uint64_t span = dice("death span").below(1200) + 1;
    o.death_point = dice("death point").below(span) + 1;
    o.fate = dice("fate").chance(0.5) ? ControllerFate::restarted : ControllerFate::gone_for_good;
    o.restart_after = dice("restart").seconds(1, 900);
  }
  o.journal_deleted = dice("journal").chance(0.4);
  if (dice("interrupt").chance(0.15)) {
    o.interrupt_after = dice("interrupt after").seconds(0, 240);
  }
  if (dice("collector death").chance(0.3)) {
    o.collector_death_point = dice("collector point").below(60) + 1;
    o.collector_back_after = dice("collector back").seconds(1, 600);
  }
  if (dice("collector away").chance(0.25)) {
    o.collector_away_round = dice("away round").between(0, o.rounds - 1);
  }
  o.second_controller = dice("second").chance(0.15);
  if (o.second_controller) {
    // The gap that docs/internals/simulation.md tells of: a lost answer to a start and a stale view at once.
    o.cloud.stale_read = 0;
  }
  if (dice("set-up").chance(0.5)) {
    draw_set_up(o);
    draw_outages(o);
  }
  return o;
}

ScenarioOptions draw_large(std::uint64_t seed, int regions, int rounds) {
  ScenarioOptions options = draw_options(seed);
  options.regions = regions;
  options.rounds = rounds;
  if (options.set_up) {
    options.changes.clear();
    draw_set_up(options);
  }
  return options;
}

std::string_view to_string(Drift drift) {
  static constexpr std::array<std::string_view, kDriftKinds> kNames = {
      "rule added",         "rule revoked",    "metadata v1",      "slot tag removed",
      "name tag changed",   "boot timer old",  "profile removed",  "key deleted",
      "machine terminated", "machine started", "machine disowned", "image deregistered"};
  return kNames[static_cast<std::size_t>(drift)];
}

std::string describe(const ScenarioOptions& o) {
  std::string text = fmt::format("  seed {}: {} regions, {} rounds, {} cones\n", o.seed, o.regions, o.rounds, o.cones);
  describe_cloud(text, o.cloud);
  describe_network(text, "services", o.services);
  describe_network(text, "collector", o.collector);
  line(text, "vantage disk append_fails", o.vantage_disk.append_fails);
  line(text, "vantage disk append_torn", o.vantage_disk.append_torn);
  line(text, "vantage disk write_fails", o.vantage_disk.write_fails);
  line(text, "controller disk append_torn", o.controller_disk.append_torn);
  line(text, "store fails", o.store_fails);
  line(text, "job hangs", o.job_hangs);
  line(text, "controller's clock ahead by s", static_cast<double>(count_seconds(o.controller_clock_error)));
  if (o.death_round) {
    text += fmt::format("  controller killed in round {} at point {}, {}\n", *o.death_round, o.death_point,
                        o.fate == ControllerFate::gone_for_good
                            ? std::string("for good")
                            : fmt::format("started again after {} s", count_seconds(o.restart_after)));
  }
  if (o.journal_deleted) {
    text += "  journal deleted\n";
  }
  if (o.interrupt_after) {
    text += fmt::format("  interrupted after {} s\n", count_seconds(*o.interrupt_after));
  }
  if (o.collector_death_point != 0) {
    text += fmt::format("  collector killed at point {}, back after {} s\n", o.collector_death_point,
                        count_seconds(o.collector_back_after));
  }
  if (o.collector_away_round) {
    text += fmt::format("  collector away in round {}\n", *o.collector_away_round);
  }
  if (o.second_controller) {
    text += "  a second controller\n";
  }
  return text + describe_set_up(o);
}

}  // namespace parallax::scenario
