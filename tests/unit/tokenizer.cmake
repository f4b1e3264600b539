moescope_test(tst_tokenizer_goldens TIER core SOURCES unit/tst_tokenizer_goldens.cpp LINK moescope_tokenizer)
moescope_test(tst_tokenizer TIER core SOURCES unit/tst_tokenizer.cpp LINK moescope_tokenizer)
moescope_test(tst_tokenize_cli TIER cli SOURCES unit/tst_tokenize_cli.cpp LINK moescope_base)
add_dependencies(tst_tokenize_cli moescope)
