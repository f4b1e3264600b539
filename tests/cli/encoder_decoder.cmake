if(TARGET moescope_engine)
  moescope_cli_test(encoder_decoder)
endif()
