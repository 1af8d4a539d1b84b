#include "aws/auth/chain.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/auth/source.h"

namespace parallax::aws {

namespace {

constexpr Micros kAdvisory = std::chrono::minutes(15);
constexpr Micros kMandatory = std::chrono::minutes(10);
// After a refresh that failed and could be tolerated: not each call is to wait for the same failure.
constexpr Micros kAdvisoryPause = Seconds(60);
// How often a task looks whether another one's refresh has ended.
constexpr Micros kPoll = Millis(10);

enum class Urgency { none, advisory, mandatory };

// What ended because of the task that asked says nothing to the others.
bool is_callers_own(const Error& error) {
  return error.kind == ErrorKind::cancelled || error.code == "deadline";
}

class RefreshingProvider final : public CredentialProvider {
 public:
  RefreshingProvider(Context context, Sources sources) : context_(std::move(context)), sources_(std::move(sources)) {}

  Result<Credentials> credentials(Monotonic deadline, std::stop_token stop) override {
    Clock& clock = context_->deps.clock;
    std::optional<std::uint64_t> waiting_since;
    bool skip_cache = false;
    for (;;) {
      {
        const MutexLock lock(mutex_);
        const Urgency urgency = urgency_at(clock.now(), clock.monotonic());
        if (urgency == Urgency::none || (urgency == Urgency::advisory && refreshing_)) {
          return current_->credentials;
        }
        if (waiting_since && *waiting_since != refreshes_ && shared_error_) {
          return *shared_error_;
        }
        waiting_since = waiting_since.value_or(refreshes_);
        if (!refreshing_) {
          refreshing_ = true;
          skip_cache = is_refused_;
          break;
        }
      }
      const Monotonic now = clock.monotonic();
      if (now >= deadline) {
        return deadline_passed("another task fetched credentials");
      }
      if (!clock.sleep_until(std::min(now + kPoll, deadline), stop)) {
        return make_error(ErrorKind::cancelled, "cancelled");
      }
    }
    return refresh({deadline, std::move(stop), skip_cache});
  }

  void invalidate(const Credentials& expired) override {
    const MutexLock lock(mutex_);
    is_refused_ = is_refused_ || (current_ && current_->credentials.access_key_id == expired.access_key_id &&
                                  current_->credentials.session_token == expired.session_token);
  }

  std::string source() const override {
    const MutexLock lock(mutex_);
    return current_ ? current_->source : "";
  }

 private:
  Urgency urgency_at(Instant now, Monotonic monotonic) const REQUIRES(mutex_) {
    if (!current_ || is_refused_) {
      return Urgency::mandatory;
    }
    const std::optional<Instant> expires = current_->credentials.expires;
    if (!expires || *expires - now >= kAdvisory) {
      return Urgency::none;
    }
    if (*expires - now < kMandatory) {
      return Urgency::mandatory;
    }
    return monotonic < pause_until_ ? Urgency::none : Urgency::advisory;
  }

  // Only by the task that set refreshing_; no lock is held while it waits.
  Result<Credentials> refresh(const Ask& ask) EXCLUDES(mutex_) {
    Result<Found> found = load(ask);
    Clock& clock = context_->deps.clock;
    const MutexLock lock(mutex_);
    refreshing_ = false;
    ++refreshes_;
    shared_error_.reset();
    if (found && found->credentials.expires && *found->credentials.expires <= clock.now()) {
      found = failed_retrieval(fmt::format("{}: the credentials have expired already", found->source));
    }
    if (found) {
      current_ = std::move(found).value();
      is_refused_ = false;
      return current_->credentials;
    }
    const Urgency urgency = urgency_at(clock.now(), clock.monotonic());
    if (urgency == Urgency::advisory || urgency == Urgency::none) {
      pause_until_ = clock.monotonic() + kAdvisoryPause;
      return current_->credentials;
    }
    if (!is_callers_own(found.error())) {
      shared_error_ = found.error();
    }
    return found.error();
  }

  Result<Found> load(const Ask& ask) {
    if (chosen_ != nullptr) {
      std::optional<Found> found = TRY(chosen_->load(ask));
      if (!found) {
        return failed_retrieval("the place where the credentials came from does not give any more");
      }
      return checked(std::move(*found));
    }
    for (const std::unique_ptr<CredentialSource>& source : sources_) {
      std::optional<Found> found = TRY(source->load(ask));
      if (found) {
        Result<Found> good = checked(std::move(*found));
        chosen_ = good ? source.get() : nullptr;
        return good;
      }
    }
    return no_credentials(nothing_found());
  }

  std::string nothing_found() const {
    std::string looked_at;
    for (const std::unique_ptr<CredentialSource>& source : sources_) {
      const std::string absence = source->absence();
      looked_at += absence.empty() ? "" : (looked_at.empty() ? "" : "; ") + absence;
    }
    return fmt::format(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary "
        "ones), or a profile ({})",
        looked_at);
  }

  const Context context_;
  const Sources sources_;
  CredentialSource* chosen_ = nullptr;  // owned by the task that refreshes
  mutable Mutex mutex_;
  std::optional<Found> current_ GUARDED_BY(mutex_);
  bool refreshing_ GUARDED_BY(mutex_) = false;
  bool is_refused_ GUARDED_BY(mutex_) = false;            // a service said that current_ has expired
  std::uint64_t refreshes_ GUARDED_BY(mutex_) = 0;        // that have ended
  std::optional<Error> shared_error_ GUARDED_BY(mutex_);  // of the last one, for who waited for it
  Monotonic pause_until_ GUARDED_BY(mutex_);
};

}  // namespace

Sources profile_sources(const Context& context, const std::string& profile, UseEnvironment use_environment) {
  Sources sources;
  sources.push_back(make_web_identity_source(context, profile, use_environment));
  sources.push_back(make_sso_source(context, profile));
  sources.push_back(make_shared_file_source(context, profile));
  sources.push_back(make_process_source(context, profile));
  sources.push_back(make_config_file_source(context, profile));
  return sources;
}

std::unique_ptr<CredentialProvider> make_refreshing_provider(const Context& context, Sources sources) {
  return std::make_unique<RefreshingProvider>(context, std::move(sources));
}

std::unique_ptr<CredentialProvider> make_credential_chain(const ChainDeps& deps, const Settings& settings) {
  const Context context = std::make_shared<const ChainContext>(deps, settings);
  const bool use_environment = !settings.profile_from_argument;
  const std::string& profile = settings.profile;
  Sources sources;
  if (use_environment) {
    sources.push_back(make_environment_source(context));
  }
  sources.push_back(make_assume_role_source(context, profile, {profile}));
  for (std::unique_ptr<CredentialSource>& source :
       profile_sources(context, profile, use_environment ? UseEnvironment::yes : UseEnvironment::no)) {
    sources.push_back(std::move(source));
  }
  sources.push_back(make_old_files_source(context));
  sources.push_back(make_container_source(context));
  sources.push_back(make_metadata_source(context));
  return make_refreshing_provider(context, std::move(sources));
}

}  // namespace parallax::aws
