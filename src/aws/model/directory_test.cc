#include "aws/model/directory.h"

#include <filesystem>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/model/pack.h"
#include "codec/gzip.h"

namespace parallax::aws {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kTiny = R"({
  "metadata": {"protocol": "rest-xml", "protocols": ["smithy-rpc-v2-cbor", "json", "query"], "jsonVersion": "1.0",
               "apiVersion": "2020-02-02", "endpointPrefix": "tiny", "targetPrefix": "Tiny"},
  "operations": {"Go": {"name": "Go", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "In"},
                        "errors": [{"shape": "Lost", "documentation": "why"}], "documentation": "how"}},
  "shapes": {
    "In": {"type": "structure", "members": {"A": {"shape": "Text", "documentation": "a"},
                                            "documentation": {"shape": "Text"}}},
    "Lost": {"type": "structure", "members": {}, "exception": true},
    "Text": {"type": "string"}}})";

// A folder of models that is gone with the test.
class Folder {
 public:
  Folder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = ::testing::TempDir() + "parallax-models-" + test->name() + "-" + std::to_string(::getpid());
    std::filesystem::create_directories(path_);
  }

  ~Folder() { std::filesystem::remove_all(path_); }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  Folder& add(const std::string& file, std::string_view content) {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + file).parent_path());
    EXPECT_TRUE(files->write(path_ + "/" + file, content, 0600).has_value());
    return *this;
  }

  std::string problem(std::string_view service = "tiny") {
    const Result<ModelsDirectory> directory = ModelsDirectory::open(*files, path_);
    if (!directory) {
      return directory.error().text();
    }
    const Result<std::string> text = directory->pack(service);
    return text ? "" : text.error().text();
  }

  const std::string& path() const { return path_; }

  std::unique_ptr<Files> files = make_system_files();

 private:
  std::string path_;
};

TEST(ModelsDirectory, TakesTheNewestVersionThatHasAModel) {
  Folder folder;
  folder.add("tiny/2019-01-01/service-2.json", "{}").add("tiny/2021-01-01/examples-1.json", "{}");
  folder.add("tiny/2020-02-02/service-2.json", kTiny).add("endpoints.json", "{}");
  EXPECT_EQ(folder.problem(), "");
}

TEST(ModelsDirectory, ReadsPlainAndCompressedFiles) {
  Folder folder;
  folder.add("tiny/2020-02-02/service-2.json.gz", gzip_compress(kTiny));
  folder.add("tiny/2020-02-02/paginators-1.json", R"({"pagination":{"Go":{"input_token":"A","output_token":"B"}}})");
  folder.add("tiny/2020-02-02/waiters-2.json.gz",
             gzip_compress(R"({"waiters":{"Done":{"operation":"Go","delay":5}}})"));
  const std::string text = ModelsDirectory::open(*folder.files, folder.path() + "/").value().pack("tiny").value();
  const std::unique_ptr<ServiceModel> model = load_service("tiny", text).value();
  EXPECT_EQ(model->metadata().protocol, Protocol::json);
  EXPECT_EQ(model->metadata().protocol_name, "json");
  EXPECT_EQ(model->find_paginator("Go")->output_tokens.at(0), "B");
  EXPECT_EQ(model->find_waiter("Done")->delay_seconds, 5);
  EXPECT_EQ(model->find_operation("Go")->errors.at(0)->name, "Lost");
  EXPECT_NE(model->find_operation("Go")->input->find_member("documentation"), nullptr);
  EXPECT_THAT(text, Not(HasSubstr("how")));
}

TEST(ModelsDirectory, SaysWhatAFolderLacks) {
  Folder folder;
  EXPECT_EQ(ModelsDirectory::open(*folder.files, folder.path() + "/no").error().kind, ErrorKind::not_found);
  folder.add("data/tiny/2020-02-02/service-2.json", kTiny);
  EXPECT_EQ(folder.problem(), "'" + folder.path() + "' has no SERVICE/VERSION/service-2.json, so it is no folder of " +
                                  "botocore's models; did you mean '" + folder.path() + "/data'?");
}

TEST(ModelsDirectory, NamesTheFileThatIsDamaged) {
  Folder folder;
  folder.add("tiny/2020-02-02/service-2.json", "{\"metadata\":");
  EXPECT_THAT(folder.problem(), HasSubstr("tiny/2020-02-02/service-2.json is not JSON: line 1"));
  folder.add("tiny/2020-02-02/service-2.json", "[]");
  EXPECT_THAT(folder.problem(), HasSubstr("there is no object 'metadata' (reading the model in " + folder.path()));
  folder.add("tiny/2020-02-02/service-2.json", kTiny).add("tiny/2020-02-02/waiters-2.json.gz", "no gzip");
  EXPECT_THAT(folder.problem(), HasSubstr("waiters-2.json.gz"));
}

// Everything that the reader of packed text takes for granted.
TEST(ModelsDirectory, RefusesWhatIsNoModel) {
  const auto problem_of = [](std::string_view from, std::string_view to) {
    std::string text(kTiny);
    text.replace(text.find(from), from.size(), to);
    const Result<std::string> packed = pack_service("tiny", {parse_json(text).value(), {}, {}}, nullptr);
    return packed ? std::string() : packed.error().message;
  };
  EXPECT_EQ(problem_of(R"("type": "string")", R"("type": "colour")"), "shape 'Text': 'colour' is no type of ours");
  EXPECT_EQ(problem_of(R"("type": "string")", R"("type": "list")"),
            "shape 'Text': a list without the shape of its items");
  EXPECT_THAT(problem_of(R"("type": "string")", R"("type": "map", "key": {"shape": "In"}, "value": {"shape": "In"})"),
              HasSubstr("shape 'Text': a map without"));
  EXPECT_EQ(problem_of(R"({"shape": "Text", "documentation": "a"})", R"({"shape": "Txt"})"),
            "shape 'In': member 'A' has no shape");
  EXPECT_EQ(problem_of(R"("input": {"shape": "In"})", R"("input": {"shape": "Text"})"),
            "operation 'Go': its input is no structure");
  EXPECT_EQ(problem_of(R"({"shape": "Lost", "documentation": "why"})", R"({"shape": "Found"})"),
            "operation 'Go': an error without a shape");
  EXPECT_EQ(problem_of(R"("Go": {)", R"("G\to": {)"), "'G\\x09o' is no name");
  EXPECT_EQ(problem_of(R"("members": {},)", R"("members": {}, "payload": "P",)"),
            "shape 'Lost': the payload 'P' is no member");
}

TEST(ModelsDirectory, AddsTheOverlayToOlderModels) {
  const Json* overlay = overlay_of("ec2");
  ASSERT_NE(overlay, nullptr);
  EXPECT_EQ(overlay_of("tiny"), nullptr);
  const Json extra = parse_json(R"({"shapes":{"In":{"members":{"A":{"shape":"X"},"B":{"shape":"Text"}}}}})").value();
  const std::string text = pack_service("tiny", {parse_json(kTiny).value(), {}, {}}, &extra).value();
  const std::unique_ptr<ServiceModel> model = load_service("tiny", text).value();
  EXPECT_EQ(model->find_shape("In")->find_member("A")->shape->name, "Text");  // the model wins
  EXPECT_NE(model->find_shape("In")->find_member("B"), nullptr);
}

// The two packers must agree: this one and that of the build.
TEST(ModelsDirectory, ReadsTheEmbeddedServicesFromTheirFilesAlike) {
  constexpr std::string_view kData = "/usr/lib/python3/dist-packages/botocore/data";
  const std::unique_ptr<Files> files = make_system_files();
  const ModelsDirectory directory = ModelsDirectory::open(*files, std::string(kData)).value();
  EXPECT_THAT(directory.names(), AllOf(Contains("s3"), Contains("lambda")));
  for (const std::string_view service : {"cloudwatch", "ec2", "iam", "pricing", "scheduler", "ssm", "sts"}) {
    const ServiceModel& embedded = *find_service(service);
    const std::unique_ptr<ServiceModel> read = load_service(service, directory.pack(service).value()).value();
    EXPECT_EQ(read->operation_names(), embedded.operation_names());
    EXPECT_EQ(read->waiter_names(), embedded.waiter_names());
    for (const std::string_view name : embedded.operation_names()) {
      const Shape* ours = embedded.find_operation(name)->input.get();
      const Shape* theirs = read->find_operation(name)->input.get();
      ASSERT_EQ(ours == nullptr, theirs == nullptr) << name;
      for (std::size_t i = 0; ours != nullptr && i < ours->members.size(); ++i) {
        EXPECT_EQ(ours->members[i].name, theirs->members.at(i).name) << name;
        EXPECT_EQ(ours->members[i].location_name, theirs->members.at(i).location_name) << name;
        EXPECT_EQ(ours->members[i].required, theirs->members.at(i).required) << name;
      }
    }
  }
}

// Last: from here on the program finds what is in the folder.
TEST(UseModelsDirectory, IsLookedIntoFirst) {
  Folder folder;
  folder.add("tiny/2020-02-02/service-2.json", kTiny).add("broken/2020-02-02/service-2.json", "{}");
  folder.add("iam/2099-01-01/service-2.json", kTiny);
  EXPECT_THAT(require_service("tinny").error().text(), HasSubstr("unknown service 'tinny'"));
  ASSERT_TRUE(use_models_directory(*folder.files, folder.path()).has_value());
  EXPECT_NE(find_service("tiny"), nullptr);
  EXPECT_EQ(find_service("tiny"), find_service("tiny"));
  EXPECT_NE(find_service("iam")->find_operation("Go"), nullptr);
  EXPECT_NE(find_service("ec2")->find_operation("RunInstances"), nullptr);
  EXPECT_THAT(service_names(), AllOf(Contains("tiny"), Contains("ec2"), Contains("iam")));
  EXPECT_EQ(find_service("broken"), nullptr);
  EXPECT_THAT(require_service("broken").error().text(), HasSubstr("there is no object 'metadata'"));
  EXPECT_EQ(require_service("tinny").error().text(), "unknown service 'tinny'; did you mean 'tiny'?");
}

}  // namespace
}  // namespace parallax::aws
