moescope_test(tst_chat_goldens TIER core SOURCES unit/tst_chat_goldens.cpp LINK moescope_chat)
moescope_test(tst_chat_template TIER core SOURCES unit/tst_chat_template.cpp LINK moescope_chat)
