# The real program as scripts use it: Python's unittest, nothing beyond its standard library.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# Sanitizers make the engine several times slower.
set(patience 1)
if(MOESCOPE_SANITIZE)
  set(patience 6)
endif()
math(EXPR cliTimeout "180 * ${patience}")

function(moescope_cli_test name)
  add_test(NAME cli_${name} COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/cli/test_${name}.py)
  set_tests_properties(cli_${name} PROPERTIES LABELS cli TIMEOUT ${cliTimeout} ENVIRONMENT
    "MOESCOPE_PROGRAM=$<TARGET_FILE:moescope>;MOESCOPE_WINDOW=$<BOOL:${MOESCOPE_GUI}>;MOESCOPE_PATIENCE=${patience}")
endfunction()

foreach(name usage steer malformed completion docs analysis_figures)
  moescope_cli_test(${name})
endforeach()
if(TARGET moescope_engine)
  foreach(name generate record series bad_runs bad_traces routers)
    moescope_cli_test(${name})
  endforeach()
endif()
