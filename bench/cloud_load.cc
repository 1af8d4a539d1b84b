// How many signed requests a second a cloud endpoint serves: a few connections, each with one request under way. Plain
// sockets and requests signed beforehand, so that little of what is measured is this program. The requests are what a
// fleet's programs ask, in turn: DescribeInstances by tag and by id, DescribeTags, RunInstances as a dry run,
// GetCommandInvocation, DescribeInstanceInformation, GetCallerIdentity. The cloud must not throttle.
//
//   cloud_load HOST PORT SECONDS CONNECTIONS INSTANCE COMMAND IMAGE      prints "REQUESTS SECONDS"

#include <arpa/inet.h>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "aws/auth/sigv4.h"
#include "base/clock.h"
#include "base/text.h"

namespace {

using parallax::Instant;
using parallax::Monotonic;

[[noreturn]] void fail(std::string_view what) {
  fmt::print(stderr, "cloud_load: {}\n", what);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): a tool that has nothing to clean up
}

long number(std::string_view text) {
  long value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    fail("not a number: " + std::string(text));
  }
  return value;
}

// One kind of request; `target` is of a JSON service, `status` what a good answer has.
struct Kind {
  std::string service, target, body;
  std::string status = "200";
};

std::vector<Kind> kinds(const std::string& instance, const std::string& command, const std::string& image) {
  const auto ec2 = [](const std::string& action) { return "Action=" + action + "&Version=2016-11-15"; };
  return {
      {"ec2", "", ec2("DescribeInstances&Filter.1.Name=tag%3AName&Filter.1.Value.1=NAVO")},
      {"ec2", "", ec2("DescribeTags&Filter.1.Name=key&Filter.1.Value.1=Name")},
      {"ssm", "AmazonSSM.GetCommandInvocation",
       fmt::format(R"({{"CommandId":"{}","InstanceId":"{}"}})", command, instance)},
      {"ec2", "", ec2("DescribeInstances&InstanceId.1=" + instance)},
      {"ssm", "AmazonSSM.DescribeInstanceInformation",
       fmt::format(R"({{"Filters":[{{"Key":"InstanceIds","Values":["{}"]}}]}})", instance)},
      {"ec2", "",
       ec2("RunInstances&DryRun=true&MinCount=1&MaxCount=1&InstanceType=t3.micro&ClientToken=t&ImageId=" + image),
       "412"},
      {"sts", "", "Action=GetCallerIdentity&Version=2011-06-15"},
  };
}

std::string signed_request(const std::string& host, long port, Instant now, const Kind& kind) {
  parallax::http::Request request;
  request.method = "POST";
  request.url = fmt::format("http://{}:{}/", host, port);
  request.body = kind.body;
  request.headers.set("Content-Type", kind.target.empty() ? "application/x-www-form-urlencoded; charset=utf-8"
                                                          : "application/x-amz-json-1.1");
  if (!kind.target.empty()) {
    request.headers.set("X-Amz-Target", kind.target);
  }
  const parallax::aws::Credentials keys{"AKIAPARALLAXSIM00001", "parallax-simulated-secret", "", std::nullopt};
  if (!parallax::aws::sign(request, {"us-west-2", kind.service}, keys, now)) {
    fail("cannot sign");
  }
  std::string text =
      fmt::format("POST / HTTP/1.1\r\nHost: {}:{}\r\nContent-Length: {}\r\n", host, port, request.body.size());
  for (const auto& [name, value] : request.headers) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text + "\r\n" + request.body;
}

int connect_to(const std::string& host, long port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 || socket < 0 ||
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect");
  }
  return socket;
}

// Reads one answer with a Content-Length. It must have that status: a refusal would be served faster.
void read_answer(int socket, const std::string& status, std::string& buffer) {
  buffer.clear();
  std::size_t wanted = 0;
  while (wanted == 0 || buffer.size() < wanted) {
    char piece[65536];
    const ssize_t got = ::read(socket, piece, sizeof piece);
    if (got <= 0) {
      fail("the connection ended");
    }
    buffer.append(piece, static_cast<std::size_t>(got));
    const std::size_t end = buffer.find("\r\n\r\n");
    if (wanted == 0 && end != std::string::npos) {
      const std::string head = parallax::to_lower(std::string_view(buffer).substr(0, end));
      const std::size_t at = head.find("content-length: ");
      if (!head.starts_with("http/1.1 " + status) || at == std::string::npos) {
        fail("not the answer that was expected: " + buffer.substr(0, 1000));
      }
      wanted = end + 4 + static_cast<std::size_t>(number(std::string_view(head).substr(at + 16)));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    fail("arguments: HOST PORT SECONDS CONNECTIONS INSTANCE COMMAND IMAGE");
  }
  const std::string host = argv[1];
  const long port = number(argv[2]);
  const auto clock = parallax::make_system_clock();
  const std::vector<Kind> mix = kinds(argv[5], argv[6], argv[7]);
  std::vector<std::string> requests;
  for (const Kind& kind : mix) {
    requests.push_back(signed_request(host, port, clock->now(), kind));
  }
  const Monotonic begin = clock->monotonic();
  const Monotonic end = begin + parallax::Seconds(number(argv[3]));
  std::atomic<long> count{0};
  {
    std::vector<std::jthread> threads;
    for (long i = 0; i < number(argv[4]); ++i) {
      threads.emplace_back([&, at = static_cast<std::size_t>(i)]() mutable {
        const int socket = connect_to(host, port);
        std::string buffer;
        for (; clock->monotonic() < end; ++at) {
          const std::string& request = requests[at % requests.size()];
          if (::write(socket, request.data(), request.size()) != static_cast<ssize_t>(request.size())) {
            fail("cannot write");
          }
          read_answer(socket, mix[at % mix.size()].status, buffer);
          ++count;
        }
        ::close(socket);
      });
    }
  }
  const double seconds = std::chrono::duration<double>(clock->monotonic() - begin).count();
  fmt::print("{} {:.3f}\n", count.load(), seconds);
  return 0;
}
