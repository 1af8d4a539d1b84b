// Parses one answer of DescribeInstances several times, for bench/measures.py: processor seconds.
//   aws_parse_bench FILE ROUNDS -> {"machines":N,"seconds":[...],"peak_kb":N}
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sys/resource.h>

#include "aws/protocol/protocol.h"

namespace parallax::aws {
namespace {

http::Response read_answer(const char* path) {
  http::Response response;
  response.status = 200;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  response.body.resize(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(response.body.data(), static_cast<std::streamsize>(response.body.size()));
  return response;
}

int run(const char* path, int rounds) {
  const ServiceModel& ec2 = *find_service("ec2");
  const Operation& operation = *ec2.find_operation("DescribeInstances");
  const http::Response response = read_answer(path);
  Json out = Json::object({{"seconds", Json::array()}});
  for (int i = 0; i < rounds; ++i) {
    const std::clock_t start = std::clock();
    const Json answer = parse_result(ec2, operation, response).value();
    out.members()->find("seconds")->push(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    out.set("machines", static_cast<std::int64_t>(answer.list("Reservations").size()));
  }

  struct rusage usage {};

  getrusage(RUSAGE_SELF, &usage);
  out.set("peak_kb", static_cast<std::int64_t>(usage.ru_maxrss));
  std::cout << out.dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace parallax::aws

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: aws_parse_bench FILE ROUNDS\n";
    return 2;
  }
  return parallax::aws::run(argv[1], std::atoi(argv[2]));
}
