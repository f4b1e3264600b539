# A model family from outside: a copy of plugins/jetmoe under another name, built against an installed MoEScope.
if(TARGET moescope_engine)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME plugins_adapter COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/plugins/test_adapter.py)
  set_tests_properties(plugins_adapter PROPERTIES LABELS cli TIMEOUT 600
    ENVIRONMENT "MOESCOPE_BUILD=${CMAKE_BINARY_DIR};MOESCOPE_LIBTORCH=${LibTorch_LIBRARY_DIR}")
endif()
