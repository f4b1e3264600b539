moescope_test(tst_label_tokens TIER core SOURCES unit/tst_label_tokens.cpp LINK routing_vectors)
