# `cmake --install` and find_package(stepstore [COMPONENTS testing]).
# The package has two exports, so that who only uses the library needs no GoogleTest.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/stepstore)

install(TARGETS stepstore EXPORT stepstoreTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT stepstoreTargets NAMESPACE stepstore:: DESTINATION ${package_dir})
install(DIRECTORY include/stepstore DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

if(TARGET stepstore_testing)
  # Users run the same conformance suite against a store of their own.
  set_target_properties(stepstore_testing PROPERTIES EXPORT_NAME testing)
  install(TARGETS stepstore_testing EXPORT stepstoreTestingTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  # An S3 server that fails as a test says: stepstore::fault_server, and as a command.
  set_target_properties(stepstore_fault_server PROPERTIES EXPORT_NAME fault_server)
  install(TARGETS stepstore_fault_server EXPORT stepstoreTestingTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(TARGETS stepstore-fault-server RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(EXPORT stepstoreTestingTargets NAMESPACE stepstore:: DESTINATION ${package_dir})
  set(testing_include_dir ${CMAKE_INSTALL_INCLUDEDIR}/stepstore-testing)
  install(DIRECTORY testing DESTINATION ${testing_include_dir} FILES_MATCHING PATTERN "*.h"
    PATTERN "*_fixture.h" EXCLUDE)
  # The headers of the layers that those include.
  install(FILES src/check/conformance.h DESTINATION ${testing_include_dir}/check)
  install(FILES src/base/clock.h src/base/files.h src/base/random.h DESTINATION ${testing_include_dir}/base)
  install(FILES src/http/message.h src/http/server.h DESTINATION ${testing_include_dir}/http)
endif()
if(TARGET stepstore_cli)
  install(TARGETS stepstore_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cmake/stepstoreConfig.cmake.in
  ${PROJECT_BINARY_DIR}/stepstoreConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/stepstoreConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/stepstoreConfig.cmake
  ${PROJECT_BINARY_DIR}/stepstoreConfigVersion.cmake DESTINATION ${package_dir})
