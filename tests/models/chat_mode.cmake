if(MOESCOPE_GUI)
  moescope_test(tst_chat_mode TIER widgets SOURCES models/tst_chat_mode.cpp LINK view_bench)
endif()
