#include "aws/auth/credentials.h"

#include <map>

#include <gtest/gtest.h>

namespace parallax::aws {
namespace {

Result<Credentials> from(std::map<std::string, std::string, std::less<>> variables) {
  EnvironmentCredentials provider([variables = std::move(variables)](std::string_view name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  });
  return provider.credentials(Monotonic::max(), {});
}

TEST(EnvironmentCredentials, ReadsKeysAndToken) {
  const Result<Credentials> found =
      from({{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_SESSION_TOKEN", "token"}});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->access_key_id, "AKID");
  EXPECT_EQ(found->secret_access_key, "secret");
  EXPECT_EQ(found->session_token, "token");
}

TEST(EnvironmentCredentials, SayWhatToSetWhenThereAreNone) {
  const Result<Credentials> none = from({});
  EXPECT_EQ(none.error().kind, ErrorKind::denied);
  EXPECT_EQ(none.error().message,
            "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary "
            "ones)");
}

TEST(EnvironmentCredentials, NameTheHalfThatIsMissing) {
  EXPECT_EQ(from({{"AWS_ACCESS_KEY_ID", "AKID"}}).error().message,
            "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not: set both");
  EXPECT_EQ(from({{"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_ACCESS_KEY_ID", ""}}).error().message,
            "AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not: set both");
}

TEST(EnvironmentCredentials, RefuseALineEndWithoutShowingTheSecret) {
  const Result<Credentials> bad = from({{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hush\nhush"}});
  EXPECT_EQ(bad.error().kind, ErrorKind::denied);
  EXPECT_EQ(bad.error().message.find("hush"), std::string::npos);
  EXPECT_NE(bad.error().message.find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
}

}  // namespace
}  // namespace parallax::aws
