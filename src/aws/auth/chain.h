// The credential chain, in the order of botocore: environment, assume role of the profile, web identity, SSO, shared
// credentials file, credential process, config file, boto's old files, container endpoint, instance metadata.
// The first source that is configured wins; what fails after that is an error, not a reason to look further.
// docs/user/aws-credentials.md has the details.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "aws/auth/credentials.h"
#include "aws/settings.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/rng.h"
#include "http/client.h"

namespace parallax::aws {

// Runs a program without a shell and gives its standard output, when it ended with 0 within `limit`.
// Error: failed programs are `unavailable`; the message has no output in it, since that may be secret.
using RunProcess =
    std::function<Result<std::string>(const std::vector<std::string>& argv, Micros limit, std::stop_token stop)>;

struct ChainDeps {
  Environment environment;
  Files& files;
  http::Client& http;
  Clock& clock;
  Rng& rng;                // guarded by the chain
  RunProcess run_process;  // empty: a credential_process is refused
};

// Credentials that end are fetched again from 15 minutes before (a failure is tolerated then) and must be from 10
// minutes before. One task refreshes; others go on with what there is, or wait where they must have new ones.
// Errors: denied with code "no-credentials" where no source is configured, naming all that were looked at; otherwise
// what the source that won says. `settings` is copied; what `deps` refers to must outlive the chain.
std::unique_ptr<CredentialProvider> make_credential_chain(const ChainDeps& deps, const Settings& settings);

}  // namespace parallax::aws
