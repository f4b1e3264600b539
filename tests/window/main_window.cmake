if(MOESCOPE_GUI)
  file(GLOB windowParts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/app/window/*.cpp ${CMAKE_SOURCE_DIR}/app/window/*.h)
  moescope_test(tst_main_window TIER canvas SOURCES window/tst_main_window.cpp ${windowParts}
    ${CMAKE_SOURCE_DIR}/app/plugins.cpp ${CMAKE_SOURCE_DIR}/app/resource_folder.cpp
    LINK moescope_generation moescope_figure moescope_built_in moescope_views)
  target_compile_definitions(tst_main_window PRIVATE MOESCOPE_HAS_GUI MOESCOPE_SOURCE_RESOURCES="${CMAKE_SOURCE_DIR}/resources")
endif()
