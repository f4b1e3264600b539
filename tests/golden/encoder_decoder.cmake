if(TARGET moescope_engine)
  foreach(test tst_golden_encoder_decoder tst_golden_encoder_decoder_runs)
    moescope_test(${test} TIER engine SOURCES golden/${test}.cpp
      LINK plugin_jetmoe plugin_minimax plugin_qwen3_next plugin_switch_transformers plugin_nllb_moe moescope_generation)
    add_dependencies(${test} moescope_engine)
  endforeach()
endif()
