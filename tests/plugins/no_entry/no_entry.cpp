// A shared object without the entry function of a plug-in. For tests.
extern "C" int moescope_plugin_another_id();
extern "C" int moescope_plugin_another_id() { return 1; }
