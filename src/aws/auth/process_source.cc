// credential_process: a program of the user's prints keys.
#include <fmt/format.h>

#include "aws/auth/source.h"
#include "base/text.h"
#include "codec/json.h"

namespace parallax::aws {

namespace {

constexpr Micros kLimit = Seconds(60);  // people may have to touch a key or answer a prompt in another window

class ProcessSource final : public CredentialSource {
 public:
  ProcessSource(Context context, std::string profile) : context_(std::move(context)), profile_(std::move(profile)) {}

  Result<std::optional<Found>> load(const Ask& ask) override {
    const std::optional<std::string> command = config_text(context_->profile(profile_), "credential_process");
    if (!command) {
      return std::optional<Found>();
    }
    const std::string where = fmt::format("credential_process of profile {}", terminal_safe(profile_, 80));
    const Result<std::vector<std::string>> words = shell_split(*command);
    if (!words || words->empty()) {
      return broken_configuration(fmt::format("{}: the command cannot be split into words: {}", where,
                                              words ? std::string("it is empty") : words.error().message));
    }
    if (!context_->deps.run_process) {
      return broken_configuration(fmt::format("{}: this program does not run other programs", where));
    }
    const Micros left = ask.deadline - context_->deps.clock.monotonic();
    if (left <= Micros(0)) {
      return deadline_passed(where);
    }
    Result<std::string> output = context_->deps.run_process(*words, std::min(kLimit, left), ask.stop);
    if (!output) {
      return std::move(output).with_context(where).error();
    }
    return read(*output, where);
  }

 private:
  static Result<std::optional<Found>> read(const std::string& output, const std::string& where) {
    const Result<Json> document = parse_json(output);
    if (!document || !document->is_object()) {
      return failed_retrieval(fmt::format("{}: it did not print a JSON object", where));
    }
    const Json* version = document->find("Version");
    if (version == nullptr || version->integer() != 1) {
      return failed_retrieval(fmt::format("{}: what it printed must have \"Version\": 1", where));
    }
    Found found{TRY(credentials_from(*document, {}, where)), where};
    return std::optional(std::move(found));
  }

  const Context context_;
  const std::string profile_;
};

}  // namespace

std::unique_ptr<CredentialSource> make_process_source(const Context& context, std::string profile) {
  return std::make_unique<ProcessSource>(context, std::move(profile));
}

}  // namespace parallax::aws
