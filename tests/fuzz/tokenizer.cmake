# fuzz_tokenizer_replay: the corpus and changes of it, a test. fuzz_tokenizer: libFuzzer, with clang and
# -DMOESCOPE_FUZZ=ON: tests/fuzz_tokenizer -max_total_time=3600 CORPUS tests/fuzz/tokenizer_corpus
add_executable(fuzz_tokenizer_replay fuzz/fuzz_tokenizer.cpp fuzz/replay.cpp)
set_target_properties(fuzz_tokenizer_replay PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(fuzz_tokenizer_replay PRIVATE moescope_tokenizer)
add_test(NAME fuzz_tokenizer_replay
  COMMAND fuzz_tokenizer_replay ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/tokenizer_corpus)
set_tests_properties(fuzz_tokenizer_replay PROPERTIES LABELS core TIMEOUT 120)
if(MOESCOPE_FUZZ)
  add_executable(fuzz_tokenizer EXCLUDE_FROM_ALL fuzz/fuzz_tokenizer.cpp)
  set_target_properties(fuzz_tokenizer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_options(moescope_base PRIVATE -fsanitize=fuzzer-no-link,address,undefined)
  target_compile_options(moescope_tokenizer PRIVATE -fsanitize=fuzzer-no-link,address,undefined)
  target_compile_options(fuzz_tokenizer PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_options(fuzz_tokenizer PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_tokenizer PRIVATE moescope_tokenizer)
endif()
