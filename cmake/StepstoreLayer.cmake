# stepstore_layer(<name> SOURCES <file>... [TESTS <file>...] [SUITE <file>...] [LIBRARIES <target>...])
# One layer of src/: an object library `stepstore_<name>`, and a test program `<name>_test` of the files that lie beside
# the code. SUITE are tests that other programs run too, over stores of theirs: those link `<name>_suite`.
# Files are listed, never globbed: what no target names is dead, and `./dev lint` says so.

function(stepstore_compile_settings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET default)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
  if(STEPSTORE_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${STEPSTORE_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${STEPSTORE_SANITIZE})
    if(STEPSTORE_SANITIZE MATCHES "thread")
      target_compile_options(${target} PRIVATE -Wno-tsan)
    endif()
  endif()
endfunction()

function(stepstore_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;TESTS;SUITE;LIBRARIES")
  set(target stepstore_${name})
  add_library(${target} OBJECT ${arg_SOURCES})
  stepstore_compile_settings(${target})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC nlohmann_json::nlohmann_json stepstore_spdlog Threads::Threads
    ${arg_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY STEPSTORE_LAYERS ${name})
  list(TRANSFORM arg_TESTS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(TRANSFORM arg_SUITE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  set_property(GLOBAL PROPERTY STEPSTORE_TESTS_OF_${name} "${arg_TESTS}")
  set_property(GLOBAL PROPERTY STEPSTORE_SUITE_OF_${name} "${arg_SUITE}")
endfunction()

# What test code may use: every layer and the testing library.
function(stepstore_test_settings target)
  stepstore_compile_settings(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE STEPSTORE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE stepstore_testing stepstore nlohmann_json::nlohmann_json
    stepstore_spdlog rapidcheck GTest::gtest GTest::gmock)
endfunction()

# stepstore_test(<name> <file or object library>...): one GoogleTest program, whose log lines a run can keep (test_trace).
function(stepstore_test name)
  set(sources "${ARGN}")
  set(libraries "${ARGN}")
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  list(FILTER libraries EXCLUDE REGEX "\\.cc$")
  add_executable(${name} ${sources})
  stepstore_test_settings(${name})
  target_link_libraries(${name} PRIVATE ${libraries} test_trace GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
endfunction()

# stepstore_layer_objects(<variable>): the objects of every layer so far.
function(stepstore_layer_objects variable)
  get_property(layers GLOBAL PROPERTY STEPSTORE_LAYERS)
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:stepstore_\\1>")
  set(${variable} "${layers}" PARENT_SCOPE)
endfunction()

# The tests beside the code come last, since they use the testing library, which uses the layers.
function(stepstore_add_layer_tests)
  get_property(layers GLOBAL PROPERTY STEPSTORE_LAYERS)
  foreach(name IN LISTS layers)
    get_property(tests GLOBAL PROPERTY STEPSTORE_TESTS_OF_${name})
    get_property(suite GLOBAL PROPERTY STEPSTORE_SUITE_OF_${name})
    if(suite)
      add_library(${name}_suite OBJECT ${suite})
      stepstore_test_settings(${name}_suite)
      list(APPEND tests ${name}_suite)
    endif()
    if(tests)
      stepstore_test(${name}_test ${tests})
    endif()
  endforeach()
endfunction()
