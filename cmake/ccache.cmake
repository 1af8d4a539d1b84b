# A compiler's cache is used where there is one, and serves every clone: paths below the project are hashed as relative
# ones. A launcher that the developer has chosen stays.
find_program(PARALLAX_CCACHE ccache)
mark_as_advanced(PARALLAX_CCACHE)
if(PARALLAX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_IGNOREOPTIONS=-fmacro-prefix-map=* ${PARALLAX_CCACHE})
endif()
