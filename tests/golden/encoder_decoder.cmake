if(TARGET moescope_engine)
  moescope_test(tst_golden_encoder_decoder TIER engine SOURCES golden/tst_golden_encoder_decoder.cpp
    LINK plugin_jetmoe plugin_minimax plugin_qwen3_next plugin_switch_transformers plugin_nllb_moe moescope_generation)
  add_dependencies(tst_golden_encoder_decoder moescope_engine)
endif()
