// A UWS service (the /async of TAP) in memory: jobs that go through scripted phases by the clock it is given, and every
// departure from the standard that real servers show. It shares nothing with any reader of such documents.
//
//   POST         PATH                        makes a job of the form's fields
//   GET          PATH[?LAST=n]               the list of jobs
//   GET, DELETE  PATH/ID[?WAIT=s&PHASE=p]    the job; also POST with ACTION=DELETE
//   GET, POST    PATH/ID/phase, /destruction, /executionduration
//   GET          PATH/ID/quote, /owner, /parameters, /results, /results/result, /error
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/client.h"

namespace parallax::sim {

struct JobStep {
  std::string phase;
  Micros lasts{0};
};

struct UwsScript {
  std::string path = "/tap/async";
  // From PHASE=RUN on: each phase for so long, the last one for ever. HELD lasts until RUN comes again. A job whose
  // query fails ends in ERROR where this says COMPLETED.
  std::vector<JobStep> steps = {{"QUEUED", Micros(0)}, {"EXECUTING", Millis(500)}, {"COMPLETED", Micros(0)}};
  std::string version = "1.1";    // "1.0": says no version and no creationTime, knows no WAIT
  bool waits = true;              // false: a 1.1 that answers a WAIT at once
  Micros wait_max = Seconds(60);  // an answer comes at the latest then, whatever WAIT says
  std::string prefix = "uws";     // of the elements; empty: none
  bool names_space = true;        // says the namespace
  bool relative = false;          // Location and href without scheme and host
  std::string scheme = "http";    // of absolute ones
  int create_status = 303;        // 200, 201: with the job's document; 400 and more: no job
  bool location = true;           // of a creation
  int delete_status = 303;        // 400 and more: DELETE is refused and does nothing
  bool deletes_by_action = true;  // POST ACTION=DELETE works
  bool sets_destruction = true;   // false: a POST to /destruction is refused
  bool runs_at_creation = false;  // PHASE=RUN among the fields of a creation is heeded
  int polls_until_gone = 0;       // the job vanishes after so many requests for it; 0: it stays
  int failing_polls = 0;          // the first so many requests for a job get 503
  Micros result_delay{0};         // before the result's head
  std::string result_id = "result";
  std::string result_href = {};    // instead of the job's own
  bool has_other_results = false;  // entries that are no table, or no address at all
  bool summarizes_errors = true;   // errorSummary in a failed job
  std::size_t jobs_max = 1000;     // at a time; a creation beyond gets 503
};

// Thread safety: handle() from any thread.
class UwsService final : public http::Service {
 public:
  // `run` answers a job's query: a POST of the job's fields, its answer is the job's result, or its error document
  // where the status is 400 or more or it holds QUERY_STATUS=ERROR. It is called at RUN, and must not wait.
  UwsService(Clock& clock, UwsScript script, std::function<http::Response(const http::Request&)> run);

  http::Response handle(const http::Request& request) override;

  // Whether a request is for this service, by its target.
  bool owns(std::string_view target) const;

  // What was done with each job that was ever made, in the order of creation.
  struct Seen {
    std::string id;
    std::map<std::string, std::string> fields;  // of the creation, names in upper case
    int runs = 0;
    int polls = 0;  // requests for the job or its phase
    int fetches = 0;
    std::optional<Instant> destruction;  // as it was set by the client
    bool exists = true;
  };

  std::vector<Seen> jobs() const;
  // Jobs that are there now.
  std::size_t existing() const;

 private:
  using Fields = std::map<std::string, std::string>;

  struct Job {
    Seen seen;
    Instant created;
    std::optional<Monotonic> begun;  // of the steps from `first_step` on
    std::size_t first_step = 0;
    bool aborted = false;
    std::optional<Instant> started, ended;  // once they have been
    Instant destruction;
    std::int64_t execution_seconds = 3600;
    http::Response result;
    bool failed = false;
  };

  struct Asked {
    const http::Request& request;
    std::string id;    // of the job
    std::string rest;  // after the id, "phase", "results/result"; empty: the job itself
    Fields fields;     // of query and form
  };

  http::Response create(const Asked& asked);
  http::Response list(const Asked& asked) const;
  http::Response poll(const Asked& asked);
  http::Response change(const Asked& asked);
  http::Response remove(const Asked& asked);
  http::Response result(const Asked& asked);
  http::Response read(const Asked& asked);
  // Returns once the job's phase is another one than `known`, at the latest at `until`.
  void wait(const std::string& id, const std::string& known, Monotonic until);

  Job* find(const std::string& id) REQUIRES(mutex_);
  // Where the job stands now. Completes its times.
  std::string phase_of(Job& job) const REQUIRES(mutex_);
  std::optional<Monotonic> next_change(const Job& job) const REQUIRES(mutex_);
  void start(Job& job, const http::Request& request) REQUIRES(mutex_);
  std::string document(Job& job, const http::Request& request) const REQUIRES(mutex_);
  http::Response see_other(const http::Request& request, const std::string& id) const;
  std::string address(const http::Request& request, const std::string& below) const;

  Clock& clock_;
  const UwsScript script_;
  const std::function<http::Response(const http::Request&)> run_;
  mutable Mutex mutex_;
  std::vector<Job> jobs_ GUARDED_BY(mutex_);
};

}  // namespace parallax::sim
