// One place where credentials may come from. The chain asks them in order until one has some, and then only that one.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "aws/auth/chain.h"
#include "base/mutex.h"

namespace parallax::aws {

// How long, and until when, an answer is waited for.
struct Ask {
  Monotonic deadline;
  std::stop_token stop = {};
  bool skip_cache = false;  // what was given last time does not work any more
};

struct Found {
  Credentials credentials;
  std::string source;  // as CredentialProvider::source()
};

// Thread safety: one task at a time.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // nullopt: nothing is configured here. Error: something is, but it failed.
  virtual Result<std::optional<Found>> load(const Ask& ask) = 0;

  // Why the last load() had nothing, for the message when nobody has any; empty: not worth a word.
  virtual std::string absence() const { return ""; }
};

using Sources = std::vector<std::unique_ptr<CredentialSource>>;

// What the sources of one chain share.
class ChainContext {
 public:
  ChainContext(const ChainDeps& chain_deps, Settings chain_settings)
      : deps(chain_deps), settings(std::move(chain_settings)), rng_(chain_deps.rng) {
    // An endpoint that was given for the calls themselves is not where roles and tokens are asked for.
    settings.endpoint.url.clear();
  }

  // Uniform in [0, 1).
  double random() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return rng_.unit();
  }

  std::string text(std::string_view variable) const { return deps.environment(variable).value_or(""); }

  // Of a profile; empty where there is none.
  const ConfigSection& profile(std::string_view name) const;

  const ChainDeps deps;
  Settings settings;

 private:
  mutable Mutex mutex_;
  Rng& rng_ GUARDED_BY(mutex_);
};

using Context = std::shared_ptr<const ChainContext>;

// --- the sources, one file each ---

// AWS_ACCESS_KEY_ID and its companions.
std::unique_ptr<CredentialSource> make_environment_source(const Context& context);
// role_arn with source_profile or credential_source. `visited`: the profiles that led here, to find loops.
std::unique_ptr<CredentialSource> make_assume_role_source(const Context& context, std::string profile,
                                                          std::vector<std::string> visited);
enum class UseEnvironment { yes, no };
std::unique_ptr<CredentialSource> make_web_identity_source(const Context& context, std::string profile,
                                                           UseEnvironment use_environment);
std::unique_ptr<CredentialSource> make_sso_source(const Context& context, std::string profile);
std::unique_ptr<CredentialSource> make_shared_file_source(const Context& context, std::string profile);
std::unique_ptr<CredentialSource> make_process_source(const Context& context, std::string profile);
std::unique_ptr<CredentialSource> make_config_file_source(const Context& context, std::string profile);
// AWS_CREDENTIAL_FILE of the first EC2 tools, then BOTO_CONFIG, /etc/boto.cfg and ~/.boto.
std::unique_ptr<CredentialSource> make_old_files_source(const Context& context);
std::unique_ptr<CredentialSource> make_container_source(const Context& context);
std::unique_ptr<CredentialSource> make_metadata_source(const Context& context);

// What a profile can say by itself, in order: web identity, SSO, shared file, process, config file.
Sources profile_sources(const Context& context, const std::string& profile, UseEnvironment use_environment);

// A provider over `sources` that refreshes what it got.
std::unique_ptr<CredentialProvider> make_refreshing_provider(const Context& context, Sources sources);

// --- what they share ---

Error no_credentials(std::string message);        // denied, code "no-credentials"
Error broken_configuration(std::string message);  // invalid, code "credentials-configuration"
Error failed_retrieval(std::string message);      // unavailable, code "credentials-unavailable"
Error deadline_passed(std::string_view what);     // timeout, code "deadline"

// Refuses keys that are empty, too long or that could not stand in a header. The message has no value in it.
Result<Found> checked(Found found);

// ISO 8601 as tools write it: also "...UTC" and offsets such as +02:00. Error: invalid.
Result<Instant> parse_expiration(std::string_view text);

// Keys of a JSON document under the given names; `where` is for messages. Error: names what is missing.
struct KeyNames {
  std::string_view id = "AccessKeyId";
  std::string_view secret = "SecretAccessKey";
  std::string_view token = "SessionToken";
  std::string_view expiration = "Expiration";
};

Result<Credentials> credentials_from(const Json& document, const KeyNames& names, std::string_view where);

// `message` without the texts that are secret, safe for a terminal.
std::string redacted(std::string message, const std::vector<std::string_view>& secrets);

}  // namespace parallax::aws
