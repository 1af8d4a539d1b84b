// parallax.toml: one file for fleet, job, schedule, collector, providers and services. Unknown keys are errors with
// line, caret and suggestion.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/time.h"
#include "record/service.h"

namespace parallax::cli {

struct Config {
  std::string sha256;  // of the file's bytes, hexadecimal; empty where it was not read from a file

  struct Fleet {
    std::string name;
    std::string home = "us-west-2";
    std::vector<std::string> regions;
    std::vector<std::string> instance_types = {"t3.micro", "t2.micro"};
    int instances_per_region = 1;
    std::string image_copy;              // the name of home's image; empty: image_stock
    std::string image_stock = "al2023";  // or the path of a public SSM parameter
    std::string group_name;              // empty: the fleet's name
    std::string group_like_home;         // empty: no inbound rule
    std::string public_key;              // path as written; empty: no key pair
    std::string instance_profile;        // empty: one of ours
    std::string deadman = "guest";       // or "guest+scheduler"
    Micros boot_timer{Seconds(20 * 60)};
    std::map<std::string, std::string> subnets;  // region: subnet id
    std::optional<double> budget_usd_per_month;
  } fleet;

  struct Schedule {
    std::string mode = "paired";  // or "rotate"
    int rounds_per_day = 4;
    Micros window{Seconds(20 * 60)};
  } schedule;

  struct Job {
    Micros timeout{Seconds(1800)};
    int cones = 10;
    double radius_min = 0.05, radius_max = 0.25;  // degrees
    std::string services;                         // a services file beside this one; empty: the tables in this file
    std::string command;                          // the user's own job
  } job;

  struct Collector {
    std::string url;
    std::string database = "sqlite:parallax.db";
    std::string key;  // path of the controller's private key
  } collector;

  // A vantage of one's own, [[local]]: a host that runs `parallax probe` by itself.
  struct Local {
    std::string name;                         // what its measurements say as vantage
    Micros interval{std::chrono::hours(24)};  // how often it should report
  };

  std::vector<Local> locals;

  std::vector<Service> services;
  std::vector<Provider> providers;
  std::vector<Service> opted_out;  // their providers want no measurements: never asked
};

// Reads the text of a configuration; relative paths stay as written. Error: invalid, pointing at the place.
Result<Config> parse_config(std::string_view file_name, std::string_view text);

// Reads the file, and the services file that it names. Paths in it are relative to the file's directory.
Result<Config> load_config(Files& files, const std::string& path);

// `path` as the configuration at `config_path` means it: relative to its directory.
std::string beside(const std::string& config_path, const std::string& path);

}  // namespace parallax::cli
