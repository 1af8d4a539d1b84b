#include "tests/scenario/seeds.h"

#include "tests/scenario/by_hand.h"

namespace parallax::scenario {

namespace {

// A service of a region that is away, and rights that are withdrawn, come and go by themselves.
class Outages {
 public:
  Outages(FleetWorld& fleet, const ScenarioOptions& options) : fleet_(fleet) {
    if (options.absence) {
      const Monotonic begin = fleet.world().now() + options.absence->after;
      const Monotonic end = begin + options.absence->lasts;
      const std::string region = fleet.regions()[static_cast<std::size_t>(options.absence->region)];
      fleet.cloud().set_fault_hook([&world = fleet.world(), begin, end, region, service = options.absence->service](
                                       const std::string& r, const std::string& s, const std::string& /*operation*/) {
        const bool away = r == region && s == service && world.now() >= begin && world.now() < end;
        return sim::Fault{away ? sim::FaultKind::bare_server_error : sim::FaultKind::none, Micros(0)};
      });
    }
    if (options.vcpu_limit) {
      fleet.cloud().set_vcpu_limit(*options.vcpu_limit);
    }
    if (options.withdrawn) {
      task_ = fleet.world().executor().spawn("withdrawal",
                                             [&fleet, withdrawn = *options.withdrawn](const std::stop_token& stop) {
                                               if (fleet.world().clock().sleep_for(withdrawn.after, stop)) {
                                                 withdraw_by_hand(fleet, withdrawn.actions);
                                                 fleet.world().clock().sleep_for(withdrawn.lasts, stop);
                                               }
                                             });
    }
  }

  ~Outages() = default;
  Outages(const Outages&) = delete;
  Outages& operator=(const Outages&) = delete;

  void end() {
    const bool withdrawn = task_ != nullptr;
    task_.reset();
    if (withdrawn) {
      withdraw_by_hand(fleet_, {});
    }
    fleet_.cloud().set_fault_hook(nullptr);
    fleet_.cloud().set_vcpu_limit(sim::CloudOptions().vcpu_limit);
  }

 private:
  FleetWorld& fleet_;
  std::unique_ptr<Task> task_;
};

std::unique_ptr<Task> set_up_beside(FleetWorld& fleet) {
  return fleet.world().executor().spawn("second set-up", [&fleet](const std::stop_token& /*stop*/) {
    fleet.sleep(Micros(static_cast<std::int64_t>(fleet.world().rng("second set-up").below(60'000'000))));
    ChangePlan plan;
    plan.visit.controller = "second";
    fleet.change(plan);
  });
}

// What has changed since the round before. False: the controller is gone for good.
bool set_up_before(FleetWorld& fleet, const ScenarioOptions& options, int number) {
  for (const PlanChange& change : options.changes) {
    if (change.round != number) {
      continue;
    }
    if (change.regions > 0) {
      const std::vector<std::string>& all = fleet.regions();
      fleet.set_active({all.begin(), all.begin() + change.regions});
      ChangePlan clear;
      clear.change = Change::clear;
      clear.regions = {all.begin() + change.regions, all.end()};
      if (change.clear_removed && number > 0 && !clear.regions.empty()) {
        fleet.change(clear);
      }
    }
    for (const auto& [drift, region] : change.by_hand) {
      drift_by_hand(fleet, fleet.regions()[static_cast<std::size_t>(region)], drift);
    }
  }
  const std::unique_ptr<Task> beside = options.second_set_up ? set_up_beside(fleet) : nullptr;
  ChangePlan plan;
  plan.visit.kill_at = options.death_change == number ? options.death_point : 0;
  if (fleet.change(plan).end.died) {
    if (options.fate == ControllerFate::gone_for_good) {
      return false;
    }
    fleet.sleep(options.restart_after);
    fleet.change({});
  }
  return true;
}

}  // namespace

void play(FleetWorld& fleet, const ScenarioOptions& options) {
  sim::VirtualWorld& world = fleet.world();
  if (options.collector_death_point != 0) {
    fleet.kill_collector_at(options.collector_death_point, options.collector_back_after);
  }
  Outages outages(fleet, options);
  std::unique_ptr<Task> second;
  for (int number = 0; number < options.rounds; ++number) {
    const bool away = options.collector_away_round == number;
    if (away) {
      fleet.kill_collector();
    }
    if (options.second_controller && number == 0) {
      second = world.executor().spawn("second", [&fleet](const std::stop_token& /*stop*/) {
        fleet.sleep(Micros(static_cast<std::int64_t>(fleet.world().rng("second").below(60'000'000))));
        RoundPlan plan;
        plan.controller = "second";
        plan.number = 500;
        fleet.round(plan);
      });
    }
    if (options.set_up && !set_up_before(fleet, options, number)) {
      break;
    }
    const std::unique_ptr<Task> beside = options.set_up_while_run ? set_up_beside(fleet) : nullptr;
    RoundPlan plan;
    plan.number = number;
    plan.kill_at = options.death_round == number ? options.death_point : 0;
    plan.interrupt_after = number == 0 ? options.interrupt_after : std::nullopt;
    const RoundResult result = fleet.round(plan);
    if (options.journal_deleted) {
      fleet.disks().wipe("controller", "/var/lib/parallax");
    }
    if (result.died && options.fate == ControllerFate::gone_for_good) {
      break;
    }
    fleet.sleep(result.died ? options.restart_after : options.between_rounds);
    if (away) {
      fleet.start_collector();
    }
  }
  second.reset();
  outages.end();
  fleet.good_end();
}

SeedReport play_options(const ScenarioOptions& options, sim::StrandKind strands, bool verbose) {
  FleetWorld fleet(options, strands, verbose);
  const Result<> outcome = fleet.run([&](FleetWorld& f) { play(f, options); });
  SeedReport report;
  report.ok = outcome.has_value();
  report.failure = outcome ? "" : outcome.error().text();
  report.fingerprint = fleet.world().fingerprint();
  report.events = fleet.world().trace().count();
  report.gaps = fleet.invariants().gaps();
  report.measurements = fleet.answered().size();
  return report;
}

SeedReport play_seed(std::uint64_t seed, sim::StrandKind strands, bool verbose) {
  return play_options(draw_options(seed), strands, verbose);
}

}  // namespace parallax::scenario
