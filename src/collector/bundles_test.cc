#include "collector/bundles.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/gzip.h"
#include "codec/hash.h"
#include "collector/collector_test_support.h"
#include "http/server.h"

namespace parallax::collector {
namespace {

using ::testing::HasSubstr;

// A tar archive whose first entry is this directory; `filling` makes it as large as one likes.
std::string archive(const std::string& directory, std::size_t filling = 0) {
  std::string tar(1024, '\0');
  tar.replace(0, directory.size(), directory);
  for (std::size_t i = 0; i < filling; ++i) {
    tar += static_cast<char>((i * 2654435761U) >> 13U);
  }
  return gzip_compress(tar);
}

std::unique_ptr<BundleShelf> shelf(std::size_t filling = 0) {
  return BundleShelf::make({open_bundle(archive("parallax-0.1.0+abc/", filling)).value()}).value();
}

struct Shop {
  explicit Shop(const BundleShelf* bundles = nullptr, bool open = true)
      : collector(*bench.store, bench.clock,
                  {.reading_open = open, .allowed_hosts = {}, .build = "test", .body = {}, .rate = {}}, bundles) {}

  http::Response get(const std::string& target, const std::string& token = "") {
    http::Request request;
    request.url = target;
    if (!token.empty()) {
      request.headers.set("Authorization", "Bearer " + token);
    }
    http::Service::Admission admission = collector.admit(request);
    return admission.answer ? *admission.answer : collector.handle(request);
  }

  test::Bench bench;
  Collector collector;
};

TEST(Bundle, IsKnownByTheDirectoryThatItBeginsWith) {
  const Result<Bundle> bundle = open_bundle(archive("parallax-0.1.0+abc/"));
  ASSERT_TRUE(bundle) << bundle.error().text();
  EXPECT_EQ(bundle->build, "0.1.0+abc");
  EXPECT_EQ(bundle->unpacked_bytes, 1024U);
  EXPECT_EQ(bundle->sha256, sha256_hex(*bundle->archive));
}

TEST(Bundle, IsRefusedWhereItIsSomethingElse) {
  EXPECT_THAT(open_bundle("hello").error().message, HasSubstr("no whole .tar.gz"));
  const std::string whole = archive("parallax-0.1.0/", 5000);
  EXPECT_THAT(open_bundle(whole.substr(0, whole.size() - 9)).error().message, HasSubstr("no whole .tar.gz"));
  for (const char* name : {"parallax-0.1.0", "other-1/", "parallax-/", "parallax-../", "parallax-a b/"}) {
    EXPECT_THAT(open_bundle(archive(name)).error().message,
                HasSubstr("does not begin with a directory parallax-BUILD/"))
        << name;
  }
}

TEST(BundleShelf, RefusesTwoOfOneBuild) {
  const Bundle bundle = open_bundle(archive("parallax-1/")).value();
  EXPECT_EQ(BundleShelf::make({bundle, bundle}).error().message, "two bundles of build 1");
}

TEST(BundleShelf, LendsABoundedNumberAtOnce) {
  const auto bundles = shelf();
  std::vector<std::shared_ptr<const std::string>> loans;
  for (int i = 0; i < kBundleLoansMax; ++i) {
    loans.push_back(bundles->lend(bundles->bundles().front()));
    ASSERT_NE(loans.back(), nullptr);
  }
  EXPECT_EQ(bundles->lend(bundles->bundles().front()), nullptr);
  loans.pop_back();
  EXPECT_NE(bundles->lend(bundles->bundles().front()), nullptr);
}

TEST(Bundles, AreListedWithTheirChecksums) {
  const auto bundles = shelf();
  Shop shop(bundles.get());
  const Json listed = parse_json(shop.get("/api/v1/bundles").body).value().list("bundles").at(0);
  EXPECT_EQ(listed.text("build"), "0.1.0+abc");
  EXPECT_EQ(listed.text("sha256"), bundles->bundles().front().sha256);
  EXPECT_EQ(listed.text("path"), "/api/v1/bundle/0.1.0+abc");
  EXPECT_TRUE(parse_json(Shop().get("/api/v1/bundles").body).value().list("bundles").empty());
}

TEST(Bundles, GoToVantagesControllersAndAdminsOnly) {
  const auto bundles = shelf();
  Shop shop(bundles.get());
  const std::string path = "/api/v1/bundle/0.1.0+abc";
  EXPECT_EQ(shop.get(path).status, 401) << "although reading is open here";
  EXPECT_EQ(shop.get(path, shop.bench.token(Role::read)).status, 403);
  for (const Role role : {Role::vantage, Role::controller, Role::admin}) {
    const http::Response response = shop.get(path, shop.bench.token(role));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, *bundles->bundles().front().archive);
    EXPECT_EQ(response.headers.get("Parallax-SHA256"), bundles->bundles().front().sha256);
  }
}

TEST(Bundles, AreListedForReadersOnlyOffLoopback) {
  const auto bundles = shelf();
  Shop shop(bundles.get(), false);
  EXPECT_EQ(shop.get("/api/v1/bundles").status, 401);
  EXPECT_EQ(shop.get("/api/v1/bundles", shop.bench.token(Role::vantage)).status, 403);
  EXPECT_EQ(shop.get("/api/v1/bundles", shop.bench.token(Role::controller)).status, 200);
}

TEST(Bundles, ThatAreNotThereAreTold) {
  const auto bundles = shelf();
  Shop shop(bundles.get()), empty;
  const http::Response other = shop.get("/api/v1/bundle/0.2.0", shop.bench.token(Role::vantage));
  EXPECT_EQ(other.status, 404);
  EXPECT_THAT(other.body, HasSubstr("no bundle of build '0.2.0' here; there is 0.1.0+abc"));
  const http::Response none = empty.get("/api/v1/bundle/0.2.0", empty.bench.token(Role::vantage));
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(none.body, HasSubstr("parallax serve --bundle FILE"));
}

TEST(Bundles, ComeWholeOverARealServer) {
  const auto bundles = shelf(3'000'000);
  Shop shop(bundles.get());
  const std::unique_ptr<http::Server> server = http::start_server({}, shop.collector).value();
  const std::unique_ptr<Clock> clock = make_system_clock();
  const std::unique_ptr<http::Client> client = http::make_curl_client(*clock);
  http::Request request;
  request.url = server->base_url() + "/api/v1/bundle/0.1.0+abc";
  request.headers.set("Authorization", "Bearer " + shop.bench.token(Role::vantage));
  for (int i = 0; i < 2; ++i) {  // the second one over the same connection
    const http::Exchange exchange = client->send(request, {}, {});
    ASSERT_TRUE(exchange.ok()) << exchange.error->text();
    EXPECT_EQ(sha256_hex(exchange.response.body), bundles->bundles().front().sha256);
  }
  request.method = "HEAD";
  const http::Exchange head = client->send(request, {}, {});
  ASSERT_TRUE(head.ok()) << head.error->text();
  EXPECT_EQ(head.response.headers.get("Content-Length"), fmt::format("{}", bundles->bundles().front().archive->size()));
  server->stop();
}

}  // namespace
}  // namespace parallax::collector
