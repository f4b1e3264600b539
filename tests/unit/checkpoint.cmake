moescope_test(tst_malformed_checkpoints TIER core SOURCES unit/tst_malformed_checkpoints.cpp LINK moescope_checkpoint)
moescope_test(tst_checkpoint TIER core SOURCES unit/tst_checkpoint.cpp LINK moescope_checkpoint)
