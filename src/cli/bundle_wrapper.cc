// The program `parallax` of a bundle: linked statically, so that it runs where there is no C library at all. It finds
// the bundle's directory and gives the process over to the bundle's own loader with the bundle's own libraries:
//
//   DIRECTORY/parallax            this program
//   DIRECTORY/lib/parallax        the real one
//   DIRECTORY/lib/ld-linux-x86-64.so.2 and every library that it needs
//
// The library path is an argument of the loader and not in the environment, so children do not inherit it.
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/auxv.h>
#include <unistd.h>
#include <vector>

namespace {

// The path of this program without symbolic links, also where /proc is not mounted. Empty where it cannot be told.
std::string own_path() {
  std::string path(PATH_MAX, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length > 0) {
    path.resize(static_cast<std::size_t>(length));
    return path;
  }
  const unsigned long given = ::getauxval(AT_EXECFN);  // what execve() was given
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,performance-no-int-to-ptr): the kernel hands a pointer
  const char* const name = reinterpret_cast<const char*>(given);
  return name != nullptr && ::realpath(name, path.data()) != nullptr ? std::string(path.c_str()) : std::string();
}

}  // namespace

// NOLINTBEGIN(concurrency-mt-unsafe): one thread
int main(int argc, char** argv) {
  const std::string path = own_path();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    static_cast<void>(std::fputs("parallax: cannot tell where this bundle lies; mount /proc\n", stderr));
    return 126;
  }
  const std::string directory = path.substr(0, slash);
  const std::string library = directory + "/lib";
  const std::string loader = library + "/ld-linux-x86-64.so.2";
  const std::string program = library + "/parallax";
  const std::string name = argc > 0 ? argv[0] : "parallax";
  // What would bring libraries of the host into a process that has a C library of its own.
  for (const char* variable : {"LD_PRELOAD", "LD_AUDIT"}) {
    static_cast<void>(::unsetenv(variable));
  }
  static_cast<void>(::setenv("PARALLAX_BUNDLE", directory.c_str(), 1));  // the program takes it out again
  std::vector<const char*> words{loader.c_str(), "--inhibit-cache", "--library-path", library.c_str(),
                                 "--argv0",      name.c_str(),      program.c_str()};
  for (int i = 1; i < argc; ++i) {
    words.push_back(argv[i]);
  }
  words.push_back(nullptr);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): execv() writes nothing, but is declared as if it did
  ::execv(loader.c_str(), const_cast<char* const*>(words.data()));
  std::perror(("parallax: " + loader).c_str());
  return 126;
}

// NOLINTEND(concurrency-mt-unsafe)
