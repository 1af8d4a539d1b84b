# Warnings for our own code. -Werror where PARALLAX_WERROR is set (CI), so that a newer compiler does not stop a user.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wformat=2 -Wextra-semi -Wmissing-declarations -Wundef)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wsuggest-override
    -Wno-restrict)  # false alarms on `"text" + std::string` in gcc 12 (its bug 105651)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
endif()
if(PARALLAX_WERROR)
  add_compile_options(-Werror)
endif()
