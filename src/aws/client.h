// The AWS client: one call of any operation of any embedded service, checked against the model, signed, sent, repeated
// where that is safe, and read back. Everything it knows of the world is injected.
//
//   Client client({http, clock, rng, credentials}, {});
//   const Json answer = TRY(client.call({"ec2", "eu-west-3"}, "StartInstances",
//                                       Json::object({{"InstanceIds", Json::array({id})}}),
//                                       {.deadline = clock.monotonic() + Seconds(60), .stop = stop}));
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "aws/auth/credentials.h"
#include "aws/call_target.h"
#include "aws/endpoint.h"
#include "aws/model/model.h"
#include "aws/region_check.h"
#include "aws/retry/limiter.h"
#include "aws/retry/retry.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "http/client.h"

namespace parallax::aws {

struct CallOptions {
  Monotonic deadline;  // for all attempts together
  std::stop_token stop = {};
  // Overrides what is known of the operation (is_repeatable below).
  std::optional<Repeat> repeat = std::nullopt;
};

struct ClientOptions {
  EndpointOptions endpoint;
  RetryOptions retry;
  LimiterOptions limiter;  // of the client's own limiter; unused where Deps brings one
  http::PhaseLimits limits = {.resolve = Seconds(5),
                              .connect = Seconds(5),
                              .tls = Seconds(10),
                              .first_byte = Seconds(30),
                              .idle = Seconds(20),
                              .total = Seconds(60)};  // of one attempt
  std::string user_agent = "parallax";
  std::string ca_file;  // empty: the system's roots
};

// Whether `operation` may be sent again after a lost answer: reading ones, those that are idempotent by effect
// (StartInstances, StopInstances, TerminateInstances, CreateTags, DeleteTags, CancelCommand), and those with a client
// token, which the service compares.
Repeat is_repeatable(const Operation& operation);

// What a service answered.
struct Answer {
  Json output;     // an object with the model's member names
  int status = 0;  // HTTP
};

// Beside the retries (retry/retry.h) two things are put right, once for each call: a clock that is off, by the answer's
// Date, and temporary credentials that have expired, by asking the provider anew.
//
// Thread safety: calls run side by side, from any task. No lock is held while a call waits.
class Client {
 public:
  struct Deps {
    http::Client& http;
    Clock& clock;
    Rng& rng;
    CredentialProvider& credentials;
    Limiter* limiter = nullptr;  // shared by several clients; nullptr: the client has its own
  };

  Client(const Deps& deps, ClientOptions options);

  // The operation's result, an object with the model's member names. Idempotency tokens that `params` lacks are made
  // once per call, so that all attempts carry the same.
  //
  // Errors, all with the context "calling ec2:StartInstances in eu-west-3":
  //   invalid      unknown service or operation, or parameters that the model refuses: nothing was sent
  //   timeout      the answer was lost after the request had been sent, and repeating is unsafe or did not help; the
  //                effect is unknown; or the deadline passed
  //   unavailable  could not be reached, or a 5xx answer; nothing else is known of a 5xx's effect
  //   throttled    what the service said after all attempts; code "local-limit": not sent, for the limiter would have
  //                waited beyond the deadline
  //   denied       code "region-disabled": the credentials are good but this region refuses them, so it is not enabled
  //                for the account (region_check.h)
  //   others       what the service said, with code, status and request_id
  Result<Json> call(const CallTarget& target, std::string_view operation, const Json& params,
                    const CallOptions& options);

  // What call() would send, before date, credentials and signature, and for what it would be signed. Nothing is sent
  // and nobody is asked for credentials. Error: invalid, as of call().
  struct Preview {
    http::Request request;
    std::string signing_region, signing_service;
  };

  Result<Preview> preview(const CallTarget& target, std::string_view operation, const Json& params);

  // The same with the HTTP status, which some waiters look at.
  Result<Answer> answer(const CallTarget& target, std::string_view operation, const Json& params,
                        const CallOptions& options);

  Clock& clock() { return deps_.clock; }

  // The injected generator, behind a lock: for jitter.
  Rng& rng() { return rng_; }

  // What our clock lacks, as the services' Date headers told; zero until a call failed for it.
  Micros clock_offset() const EXCLUDES(mutex_);

 private:
  // The injected generator is one task's; calls of several tasks share it here.
  class LockedRng final : public Rng {
   public:
    explicit LockedRng(Rng& rng) : rng_(rng) {}

    std::uint64_t next() override EXCLUDES(mutex_);

   private:
    Mutex mutex_;
    Rng& rng_ GUARDED_BY(mutex_);
  };

  struct Prepared;
  struct Attempt;
  enum class Judge { region, nothing };  // whether a refusal is looked into

  Result<Prepared> prepare(const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options);
  Result<Answer> attempts(Prepared& prepared, const CallOptions& options, Judge judge);
  Result<Answer> attempt(Prepared& prepared, int number, const CallOptions& options, Attempt& attempt);
  Result<Answer> run(const CallTarget& target, std::string_view operation, const Json& params,
                     const CallOptions& options, Judge judge);
  bool correct_clock(const Error& error, const Attempt& attempt) EXCLUDES(mutex_);
  bool renew_credentials(const Error& error, const Attempt& attempt, const CallOptions& options);
  Error explain(Error error, const Prepared& prepared, const Attempt& attempt, const CallOptions& options, Judge judge);
  RetryBudget& budget_of(const Prepared& prepared) EXCLUDES(mutex_);
  Micros time_left(const CallOptions& options) const;

  const Deps deps_;
  const ClientOptions options_;
  LockedRng rng_;
  Limiter own_limiter_;
  Limiter& limiter_;
  RegionCheck regions_;
  mutable Mutex mutex_;
  Micros clock_offset_ GUARDED_BY(mutex_){0};
  // By region and service, so that an outage of one does not take the retries of the others.
  std::map<std::string, std::unique_ptr<RetryBudget>> budgets_ GUARDED_BY(mutex_);
};

// A random UUID (version 4) in lower case.
std::string make_uuid(Rng& rng);

}  // namespace parallax::aws
