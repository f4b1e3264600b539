moescope_test(tst_gguf_file TIER core SOURCES unit/tst_gguf_file.cpp LINK moescope_checkpoint)
moescope_test(tst_gguf_model TIER core SOURCES unit/tst_gguf_model.cpp LINK moescope_checkpoint)
if(TARGET moescope_engine)
  moescope_test(tst_golden_gguf TIER engine SOURCES golden/tst_golden_gguf.cpp LINK moescope_engine_api)
  add_dependencies(tst_golden_gguf moescope_engine)
endif()
moescope_test(tst_gguf_tokenizers TIER core SOURCES unit/tst_gguf_tokenizers.cpp
  LINK moescope_checkpoint moescope_tokenizer moescope_chat)
