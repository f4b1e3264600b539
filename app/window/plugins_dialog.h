// PluginsDialog: Help > Plug-ins: what is loaded, from where, and what was left out and why.
// Not for installing plug-ins (docs/plugins.md).
#pragma once

#include <QDialog>

#include "core/plugin/plugin_host.h"

namespace moescope::app {

class PluginsDialog : public QDialog {
  Q_OBJECT

 public:
  explicit PluginsDialog(const plugin::PluginHost& host, QWidget* parent = nullptr);
};

}  // namespace moescope::app
