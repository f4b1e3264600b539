# Each target runs shortly as a test. For a long run with libFuzzer: tests/fuzz/README.md.
function(moescope_fuzz name)
  cmake_parse_arguments(arg "" "CORPUS;CHANGES" "LINK" ${ARGN})
  add_executable(fuzz_${name} fuzz/fuzz_${name}.cpp fuzz/short_run.cpp)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(fuzz_${name} PRIVATE moescope_flags ${arg_LINK})
  add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS} ${arg_CHANGES})
  set_tests_properties(fuzz_${name} PROPERTIES LABELS core TIMEOUT 120)
endfunction()

moescope_fuzz(gguf CORPUS fuzz/gguf CHANGES 2000 LINK moescope_checkpoint)
