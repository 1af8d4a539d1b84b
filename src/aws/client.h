// The AWS client: one call of any operation of any embedded service, checked against the model, signed, sent, repeated
// where that is safe, and read back. Everything it knows of the world is injected.
//
//   Client client({http, clock, rng, credentials}, {});
//   const Json answer = TRY(client.call({"ec2", "eu-west-3"}, "StartInstances",
//                                       Json::object({{"InstanceIds", Json::array({id})}}),
//                                       {.deadline = clock.monotonic() + Seconds(60), .stop = stop}));
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "aws/auth/credentials.h"
#include "aws/endpoint.h"
#include "aws/model/model.h"
#include "aws/retry/retry.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "http/client.h"

namespace parallax::aws {

struct CallTarget {
  std::string service;  // "ec2", "ssm", "iam", "sts"
  std::string region;   // IAM: any region of the partition
};

struct CallOptions {
  Monotonic deadline;  // for all attempts together
  std::stop_token stop = {};
  // Overrides what is known of the operation (is_repeatable below).
  std::optional<Repeat> repeat = std::nullopt;
};

struct ClientOptions {
  EndpointOptions endpoint;
  RetryOptions retry;
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

// Thread safety: calls run side by side, from any task. No lock is held while a call waits.
class Client {
 public:
  struct Deps {
    http::Client& http;
    Clock& clock;
    Rng& rng;
    CredentialProvider& credentials;
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

  Clock& clock() { return deps_.clock; }

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
  Result<Prepared> prepare(const CallTarget& target, std::string_view operation, const Json& params,
                           const CallOptions& options);
  Result<Json> attempts(Prepared& prepared, const CallOptions& options);
  Result<Json> attempt(Prepared& prepared, int number, const CallOptions& options, http::Response& response);
  Result<Json> run(const CallTarget& target, std::string_view operation, const Json& params,
                   const CallOptions& options);
  bool correct_clock(const Error& error, const http::Response& response);
  Micros time_left(const CallOptions& options) const;

  const Deps deps_;
  const ClientOptions options_;
  LockedRng rng_;
  RetryBudget budget_;
  mutable Mutex mutex_;
  Micros clock_offset_ GUARDED_BY(mutex_){0};
};

// A random UUID (version 4) in lower case.
std::string make_uuid(Rng& rng);

}  // namespace parallax::aws
