// Cases of asynchronous jobs (UWS).

#include "sim/vo/case_parts.h"

namespace parallax::sim {

namespace {

const Expected kJobOk{"ok", "", std::nullopt, ""};

VoCase job_case(int row, std::string name, std::string serves, Expected expected, UwsScript script) {
  VoCase made;
  made.name = std::move(name);
  made.kind = CaseKind::tap_async;
  made.row = row;
  made.serves = std::move(serves);
  made.expected = std::move(expected);
  made.uws = std::move(script);
  return made;
}

using Steps = std::vector<JobStep>;

UwsScript through(Steps steps) {
  UwsScript script;
  script.steps = std::move(steps);
  return script;
}

void add_phases(std::vector<VoCase>& cases) {
  const JobStep running{"EXECUTING", Millis(200)};
  const JobStep done{"COMPLETED", Micros(0)};
  cases.push_back(job_case(12, "job-held", "HELD once: it wants RUN again", {"ok", "", std::nullopt, "job-held"},
                           through({{"HELD", Micros(0)}, running, done})));
  cases.push_back(job_case(12, "job-suspended", "SUSPENDED for a while", kJobOk,
                           through({running, {"SUSPENDED", Millis(300)}, running, done})));
  cases.push_back(
      job_case(12, "job-unknown", "UNKNOWN for a while", kJobOk, through({{"UNKNOWN", Millis(300)}, running, done})));
  cases.push_back(job_case(12, "job-archived", "ARCHIVED: the results are gone", fails("service-error", "job-archived"),
                           through({running, {"ARCHIVED", Micros(0)}})));
  cases.push_back(job_case(12, "job-pending", "still PENDING for a while after RUN", kJobOk,
                           through({{"PENDING", Millis(300)}, running, done})));
  cases.push_back(job_case(12, "job-endless", "never over; must be deleted", fails("timeout", "job"),
                           through({{"EXECUTING", Micros(0)}})));
  cases.push_back(job_case(0, "job-error", "ends in ERROR", fails("service-error", "job-error"),
                           through({running, {"ERROR", Micros(0)}})));
  cases.push_back(job_case(0, "job-aborted", "ends in ABORTED", fails("service-error", "job-aborted"),
                           through({running, {"ABORTED", Micros(0)}})));
}

}  // namespace

std::vector<VoCase> job_cases() {
  std::vector<VoCase> cases;
  UwsScript old;
  old.version = "1.0";
  cases.push_back(job_case(11, "job-uws-1-0", "UWS 1.0, which knows no WAIT", kJobOk, old));
  cases.push_back(job_case(11, "job-uws-1-1", "UWS 1.1 that waits as WAIT asks", kJobOk, UwsScript()));
  UwsScript ignoring;
  ignoring.waits = false;
  cases.push_back(job_case(11, "job-ignores-wait", "UWS 1.1 that answers WAIT at once", kJobOk, ignoring));
  add_phases(cases);
  UwsScript diagnostic;
  diagnostic.has_other_results = true;
  cases.push_back(
      job_case(13, "job-more-results", "a list of results with entries that are no table", kJobOk, diagnostic));
  UwsScript relative;
  relative.relative = true;
  cases.push_back(job_case(13, "job-relative", "addresses without scheme and host", kJobOk, relative));
  UwsScript named;
  named.result_id = "main";
  cases.push_back(job_case(13, "job-result-named", "the result is called main", kJobOk, named));
  UwsScript refusing;
  refusing.delete_status = 405;
  cases.push_back(job_case(14, "job-delete-405", "DELETE is refused, ACTION=DELETE works", kJobOk, refusing));
  cases.push_back(job_case(14, "job-delete-303", "DELETE answers 303 to the list of all jobs", kJobOk, UwsScript()));
  UwsScript created;
  created.create_status = 201;
  cases.push_back(job_case(0, "job-created-201", "a job is made with 201 instead of 303",
                           {"ok", "", std::nullopt, "job-creation"}, created));
  UwsScript none;
  none.create_status = 403;
  cases.push_back(job_case(0, "job-refused", "no jobs for anybody: 403", fails("http-error", "http-403"), none));
  UwsScript failing;
  failing.failing_polls = 1;
  cases.push_back(job_case(0, "job-poll-503", "the first request for the job's phase gets 503",
                           {"ok", "", std::nullopt, "poll-failed"}, failing));
  UwsScript bare;
  bare.prefix.clear();
  bare.names_space = false;
  cases.push_back(job_case(0, "job-no-namespace", "documents without prefix and namespace", kJobOk, bare));
  return cases;
}

}  // namespace parallax::sim
