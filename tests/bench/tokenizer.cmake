# Not a test: measures and prints, for tests/bench/compare_tokenizers.py.
add_executable(bench_tokenizer EXCLUDE_FROM_ALL bench/bench_tokenizer.cpp)
set_target_properties(bench_tokenizer PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(bench_tokenizer PRIVATE moescope_tokenizer)
