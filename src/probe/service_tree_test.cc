#include "probe/service_tree.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace parallax {
namespace {

std::string list_of(std::string_view name, std::string_view type = "cone") {
  return "[{'base_name': '" + std::string(name) + "', 'service_type': '" + std::string(type) +
         "', 'access_url': 'https://" + std::string(name) + ".example.org/scs?', 'adql': ''}]\n";
}

class ServiceTreeTest : public testing::Test {
 protected:
  ServiceTreeTest() {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }

  ~ServiceTreeTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }

  std::string complaint() {
    const Result<ServiceTree> tree = read_service_tree(*files_, root_.string());
    return tree ? "" : tree.error().message;
  }

  const std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) /
      ("service-tree-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  const std::unique_ptr<Files> files_ = make_system_files();
};

TEST_F(ServiceTreeTest, TakesEachSubdirectoryForAProvider) {
  write("NED/cone.py", list_of("ned"));
  write("NED/more.py", list_of("ned2"));
  write("MAST/mast.py", list_of("mast"));
  write("cones.py", "[{'ra': 1, 'dec': 2, 'radius': 0.1}]");
  write("MAST/README.md", "not a list");
  write("MAST/old/mast.py", "neither read nor checked");
  write(".git/x.py", "neither");
  const Result<ServiceTree> tree = read_service_tree(*files_, root_.string() + "/");
  ASSERT_TRUE(tree) << tree.error().text();
  std::vector<std::string> found;
  for (const Service& service : tree->list.services) {
    found.push_back(service.provider + "/" + service.name);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"MAST/mast", "NED/ned", "NED/ned2"}));
  ASSERT_EQ(tree->list.providers.size(), 2U);
  EXPECT_EQ(tree->list.providers[0].name, "MAST");
  EXPECT_EQ(tree->list.providers[0].parallel, 1);
  EXPECT_EQ(tree->not_read, std::vector<std::string>{root_.string() + "/MAST/README.md"});
}

TEST_F(ServiceTreeTest, TellsADirectoryFromAFile) {
  write("a.py", list_of("a"));
  EXPECT_TRUE(is_directory(*files_, root_.string()));
  EXPECT_FALSE(is_directory(*files_, root_.string() + "/a.py"));
  EXPECT_FALSE(is_directory(*files_, root_.string() + "/none"));
}

TEST_F(ServiceTreeTest, NamesTheFileOfAWrongList) {
  write("A/good.py", list_of("a"));
  write("B/bad.py", list_of("b", "scs"));
  EXPECT_TRUE(complaint().starts_with(root_.string() + "/B/bad.py:1:")) << complaint();
  EXPECT_NE(complaint().find("unknown service_type 'scs'"), std::string::npos) << complaint();
}

TEST_F(ServiceTreeTest, HasAServiceOncePerProvider) {
  write("A/one.py", list_of("a"));
  write("B/one.py", list_of("a"));
  EXPECT_EQ(complaint(), "");
  write("A/two.py", list_of("a"));
  EXPECT_EQ(complaint(), root_.string() + "/A/two.py: service 'a (cone)' stands in " + root_.string() +
                             "/A/one.py already; a provider has it once");
}

TEST_F(ServiceTreeTest, SaysWhatATreeIsWhereThereIsNone) {
  write("services.py", list_of("a"));
  EXPECT_EQ(complaint(), root_.string() +
                             ": there is no service list in it; each subdirectory is a provider, and its *.py are "
                             "service lists (a *.py directly in it is taken for a list of cones)");
}

}  // namespace
}  // namespace parallax
